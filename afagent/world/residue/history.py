"""Shell histories: what somebody typed, with the slips."""

from __future__ import annotations

from random import Random

from afagent.world.residue.grammar import Slots, bank, fill
from afagent.world.residue.setting import Setting

SLIP = 0.045
"""Share of commands that were first mistyped."""


def commands(rng: Random, slots: Slots, count: int, *, models: bool) -> list[str]:
    """About `count` commands; with `models`, of somebody who looks at checkpoints as well."""
    banks = bank("commands")
    sections = ["common"] * 5 + ["project"] * 4 + ["data"] * 3 + ["models"] * models
    typed: list[str] = []
    # Sorted: the order of a set differs between interpreters, the draws must not.
    favourite = {
        section: rng.sample(banks[section], max(4, len(banks[section]) * 2 // 3)) for section in sorted(set(sections))
    }
    while len(typed) < count:
        for command in rng.choice(favourite[rng.choice(sections)]).split(" &&& "):
            written = fill(command, rng, slots)
            if rng.random() < SLIP:
                typed.append(slip(written, rng))
            typed.append(written)
    return typed


def slip(command: str, rng: Random) -> str:
    """The command as it came out the first time."""
    word, _, rest = command.partition(" ")
    if len(word) < 3 or rng.random() < 0.3:
        return command[: max(2, rng.randrange(len(command)))].rstrip()
    i = rng.randrange(len(word) - 1)
    word = word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    return f"{word} {rest}".rstrip()


def render(typed: list[str], rng: Random, setting: Setting, days: float) -> str:
    """The file's content: plain lines, or with the times that bash writes when it is told to."""
    if rng.random() < 0.6:
        return "\n".join(typed) + "\n"
    end = setting.lab.now.timestamp() - days * 86400
    times = sorted(end - rng.random() * 60 * 86400 for _ in typed)
    return "".join(f"#{int(when)}\n{command}\n" for when, command in zip(times, typed, strict=True))
