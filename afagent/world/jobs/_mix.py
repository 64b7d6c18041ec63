"""The mix of a run's data: its shares in the configuration, and what they become when one source changes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

_MIX = re.compile(r"(?<=  mix:\n)(?:    \w+: \d+\n)+")
Mix = dict[str, int]


@dataclass(frozen=True)
class Move:
    """What happened to a source, and what the mix is to become."""

    source: str
    old: str
    new: str
    """Its file, before and now."""
    rows: tuple[int, int]
    """Before and now."""
    stated: int | None
    """The share that its new page gives; None where the share follows the rows."""
    spread: Literal["largest", "even", "proportional"]
    """Which of the others take what becomes free, or give what is needed."""

    def applied(self, mix: Mix) -> Mix:
        """The new shares, in percent."""
        before, after = self.rows
        now = self.stated if self.stated is not None else (2 * mix[self.source] * after + before) // (2 * before)
        others = {name: share for name, share in mix.items() if name != self.source}
        if self.spread == "proportional":
            others = {name: share * (100 - now) // (100 - mix[self.source]) for name, share in others.items()}
        rest = 100 - now - sum(others.values())
        takers = list(others) if self.spread == "even" else [max(others, key=lambda name: mix[name])]
        for i in range(abs(rest)):
            others[takers[i % len(takers)]] += 1 if rest > 0 else -1
        return {name: now if name == self.source else others[name] for name in mix}


def read_mix(config: str) -> Mix:
    """The shares that a configuration has, in its order."""
    found = _MIX.search(config)
    assert found is not None, "the run's configuration has a mix"
    return {name: int(share) for name, share in re.findall(r"(\w+): (\d+)", found[0])}


def with_mix(config: str, mix: Mix, paths: Mapping[str, str]) -> str:
    """The configuration with these shares, and a line for the path of each source beside that of the preferences."""
    config = _MIX.sub("".join(f"    {name}: {share}\n" for name, share in mix.items()), config)
    places = "".join(f"  {name}: {path}\n" for name, path in paths.items())
    return re.sub(r"(?<=^data:\n)(  preferences: .*\n)", rf"\1{places}", config, flags=re.MULTILINE)
