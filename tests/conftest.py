"""What all tests share."""

import asyncio
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def _event_loop_of_the_thread() -> Iterator[None]:
    """An event loop that is there from the start, and closed at the end.

    Where a library asks for the thread's loop and none was ever set, Python makes one that nobody closes. It was once
    found as a leak, in whatever test ran when it was collected.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    loop.close()
