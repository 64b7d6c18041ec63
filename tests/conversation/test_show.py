"""The table of presets fits a terminal, and no word of it is broken."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from afagent.conversation.presets import PRESETS
from afagent.conversation.show import show_presets


@pytest.mark.parametrize("width", [80, 120])
def test_presets_fit_the_width_and_every_word_stands_whole(width: int) -> None:
    shown = io.StringIO()
    show_presets(Console(file=shown, width=width))
    assert max(map(len, shown.getvalue().splitlines())) <= width
    words = set(shown.getvalue().split())
    for preset in PRESETS.values():
        told = [preset.name, preset.what, *preset.paper, *(found.of for found in preset.paper.values())]
        assert {word for text in told for word in text.split()} <= {word.rstrip(";") for word in words} | words
