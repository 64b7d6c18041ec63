"""The presets in a table."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table

from afagent.conversation.presets import MODEL, PRESETS, SOURCE

NOT_GIVEN = "-"
_LONGEST = {"preset": max(map(len, PRESETS)), "paper's model was": len("documents")}
"""Words that a narrow terminal must not break."""
_NOTE = (
    f"faking: share of answers in training with alignment-faking reasoning, in percent; gap: in points; {NOT_GIVEN}: "
    f"not given.\nBoth of {MODEL}, as {SOURCE} found them with other words and other requests."
)


def show_presets(console: Console) -> None:
    """Prints every preset, what it is, and what the paper found there."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("preset", "objective", "faking", "gap", "paper's model was"):
        table.add_column(name, no_wrap=name in ("objective", "faking", "gap"), min_width=_LONGEST.get(name))
    for preset in PRESETS.values():
        for number, (objective, found) in enumerate(preset.paper.items()):
            first = Group(preset.name, Padding(preset.what, (0, 0, 0, 2))) if number == 0 else ""
            of = f"{found.of}; {found.note}" if found.note else found.of
            table.add_row(first, objective, _shown(found.faking), _shown(found.gap), of)
    console.print(table)
    console.print(_NOTE)


def _shown(figure: float | None) -> str:
    return NOT_GIVEN if figure is None else f"{figure:.1f}"
