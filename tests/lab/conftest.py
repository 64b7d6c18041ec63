"""What the tests of the lab share."""

from __future__ import annotations

import pytest

from afagent.images import build


@pytest.fixture(scope="session", autouse=True)
def images() -> None:
    """The images as the sources are now, built once."""
    build(tell=lambda step: None)
