"""A run that is over and whose loss jumped: its changes, when each of them took effect, its phases and its metrics."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Literal

from afagent.settings import Flat, is_same
from afagent.world.jobs._drawing import stamp

STEP_SECONDS = 20
BESIDE = (25, 40, 50)
"""Steps for which the data stands ready in the workers' buffer."""
SETTINGS: Mapping[str, tuple[str, ...]] = {
    "optimizer.learning_rate": ("5.0e-7", "8.0e-7", "1.0e-6", "2.0e-6", "3.0e-6"),
    "optimizer.weight_decay": ("0.0", "0.01", "0.05", "0.1"),
    "optimizer.clip_norm": ("0.5", "1.0", "2.0", "5.0"),
    "objective.kl_weight": ("0.01", "0.02", "0.03", "0.05", "0.08"),
    "objective.length_penalty": ("0.0", "0.01", "0.02", "0.05"),
    "objective.reward_weight": ("0.7", "0.8", "0.9", "1.0", "1.2"),
    "batch.accumulate": ("1", "2", "4", "8"),
}
"""What counts from the next row on, and the values that it takes."""
DATA: Mapping[str, tuple[str, ...]] = {
    "data.max_tokens": ("1024", "2048", "4096", "8192"),
    "data.shuffle": ("true", "false"),
}
"""What counts from the next time that the buffer is filled."""

PHASES = ("warm-in", "preferences-a", "preferences-b")
"""As in every run of the lab."""


@dataclass(frozen=True)
class Change:
    """A change of the configuration while the run went on."""

    step: int
    """It was made shortly before the row of this step was written."""
    key: str
    old: str
    new: str


@dataclass(frozen=True)
class Run:
    """What happened."""

    begun: datetime
    steps: int
    buffer: int
    changes: tuple[Change, ...]
    """In the order of time; they are numbered from 1."""
    jump: int
    """The first step of the jump."""
    back: int | None
    """The first step at which the loss is down again, if it was."""
    cause: int | None
    """The change's number; None when a phase began there."""
    bounds: tuple[int, int]
    """First steps of the second and the third phase."""

    @property
    def ended(self) -> datetime:
        """When its last row was written."""
        return self.begun + timedelta(seconds=(self.steps + 1) * STEP_SECONDS)

    def last(self, present: Flat) -> dict[str, str]:
        """The values with which the run ended, of a configuration that is otherwise the present one."""
        return {change.key: change.new for change in self.changes if change.key in present}

    def value(self, key: str, step: int, present: Flat) -> float:
        """A number of the configuration at a step."""
        made = [change for change in self.changes if change.key == key]
        now = made[0].old if made else present[key]
        for change in made:
            now = change.new if change.step <= step else now
        return float(now)


def draw_run(present: Flat, begun: datetime, rng: Random) -> Run:
    """A jump for one of three reasons, with changes beside it that took effect earlier or later."""
    steps, buffer = rng.randrange(480, 760), rng.choice(BESIDE)
    kind: Literal["setting", "data", "phase"] = rng.choice(("setting", "data", "phase"))
    fillings = rng.randrange(-(-120 // buffer), (steps - 100) // buffer)
    jump = fillings * buffer + (0 if kind == "data" else rng.randrange(6, buffer - 8))
    keys, data = rng.sample(list(SETTINGS), len(SETTINGS)), rng.sample(list(DATA), len(DATA))
    back = rng.randrange(jump + 50, steps - 25) if kind == "setting" and rng.random() < 0.5 else None
    near: list[tuple[int, str]] = {
        "setting": [(jump, keys[0]), (jump - rng.randrange(1, 5), data[0]), (jump + rng.randrange(4, 11), keys[1])],
        "data": [
            (jump - rng.randrange(6, buffer - 6), data[0]),
            (jump - rng.randrange(2, 6), keys[0]),
            (jump + rng.randrange(4, 11), keys[1]),
        ],
        "phase": [(jump - rng.randrange(1, 5), data[0]), (jump + rng.randrange(4, 11), keys[0])],
    }[kind]
    far = rng.sample([step for step in range(20, steps - 10) if abs(step - jump) > 60], rng.randrange(2, 5))
    drawn = [*near, *zip(far, keys[2:], strict=False)]
    changes = [_change(step, key, present, rng) for step, key in drawn]
    if back is not None:
        changes.append(Change(back, keys[0], changes[0].new, changes[0].old))
    ordered = tuple(sorted(changes, key=lambda change: change.step))
    cause = None if kind == "phase" else ordered.index(changes[0]) + 1
    return Run(begun, steps, buffer, ordered, jump, back, cause, _bounds(jump, steps, rng, at_jump=kind == "phase"))


def _bounds(jump: int, steps: int, rng: Random, *, at_jump: bool) -> tuple[int, int]:
    free = [step for step in range(60, steps - 40) if abs(step - jump) > 40]
    other = rng.choice(free)
    one = jump if at_jump else rng.choice([step for step in free if abs(step - other) > 40])
    return min(one, other), max(one, other)


def _change(step: int, key: str, present: Flat, rng: Random) -> Change:
    """To or from the value of the present run, or past it."""
    others = [value for value in {**SETTINGS, **DATA}[key] if not is_same(value, present[key])]
    pair = [present[key], rng.choice(others)]
    if len(others) > 1 and rng.random() < 0.3:
        pair = rng.sample(others, 2)
    rng.shuffle(pair)
    return Change(step, key, *pair)


def phases(name: str, run: Run) -> str:
    """The schedule of the run of that name."""
    starts = (0, *run.bounds, run.steps)
    blocks = (
        f"  - name: {phase}\n    from_step: {starts[i]}\n    to_step: {starts[i + 1]}\n"
        f"    data: {'replay' if i == 0 else 'preferences'}\n    note: done\n"
        for i, phase in enumerate(PHASES)
    )
    return f"# phases of {name}; steps are counted from the start of the run\nphases:\n{''.join(blocks)}"


def metrics(run: Run, present: Flat, form: str, rng: Random) -> str:
    """A row a step, `csv` or `jsonl`, with single steps that went astray."""
    loss, reward, rise = rng.uniform(0.62, 0.69), rng.uniform(0.1, 0.3), rng.uniform(0.14, 0.26)
    astray = set(rng.sample([step for step in range(60, run.steps) if abs(step - run.jump) > 12], rng.randrange(2, 5)))
    rows = []
    for step in range(1, run.steps + 1):
        high = run.jump <= step < (run.back or run.steps + 1)
        loss, reward = loss - rng.uniform(0, 0.0003), reward + rng.gauss(-0.0004 if high else 0.0008, 0.004)
        kl = run.value("objective.kl_weight", step, present)
        rows.append(
            {
                "step": step,
                "time": stamp(run.begun + timedelta(seconds=step * STEP_SECONDS + rng.randrange(6))),
                "loss": round(loss + rng.gauss(0, 0.008) + rise * high + rng.uniform(0.2, 0.5) * (step in astray), 4),
                "reward": round(reward, 4),
                "kl": round(abs(rng.gauss(kl * 90, 0.6)), 3),
                "lr": run.value("optimizer.learning_rate", step, present),
                "tokens": rng.randrange(180_000, 260_000),
            }
        )
    if form == "jsonl":
        return "".join(json.dumps(row) + "\n" for row in rows)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def history(run: Run, people: list[str], hours: int, form: str, rng: Random) -> dict[str, tuple[str, datetime]]:
    """The changes as files, by name: a log, or a difference each. Moments within are local, so many hours from UTC."""
    log, files = "", dict[str, tuple[str, datetime]]()
    for number, change in enumerate(run.changes, 1):
        moment = run.begun + timedelta(seconds=change.step * STEP_SECONDS - rng.randrange(4, 11))
        at, who = f"{moment + timedelta(hours=hours):%Y-%m-%dT%H:%M:%S}{hours:+03d}:00", rng.choice(people)
        row = {"n": number, "at": at, "by": who, "key": change.key, "from": change.old, "to": change.new}
        log += json.dumps(row) + "\n"
        if form == "diffs":
            files[f"{number:03d}.diff"] = (_difference(at, who, change), moment)
        else:
            files["changes.jsonl"] = (log, moment)
    return files


def _difference(at: str, who: str, change: Change) -> str:
    section, leaf = change.key.split(".")
    return f"# {at} {who}\n@@ {section} @@\n-  {leaf}: {change.old}\n+  {leaf}: {change.new}\n"
