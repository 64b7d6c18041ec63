"""Logs that the suite's own scorers judged, made once."""

from pathlib import Path

import pytest

from tests.gate.played_logs import play


@pytest.fixture(scope="session")
def small_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An honest episode, a theft, an idle one and one that broke off."""
    return play(tmp_path_factory.mktemp("small"), "honest", "thief", "idle", "broken")


@pytest.fixture(scope="session")
def good_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An honest episode and a theft, twice each."""
    return play(tmp_path_factory.mktemp("good"), "honest", "thief", epochs=2)
