"""What all tests share."""

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from inspect_ai._util import _async

# A busy or new machine (hypothesis makes its tables of characters at first use) says nothing about what is tested.
settings.register_profile("afagent", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("afagent")


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


@pytest.fixture(scope="session", autouse=True)
def _asyncio_as_it_is() -> Iterator[None]:
    """Inspect patches asyncio for the whole process where one of its plain functions is called in a running loop.

    What runs after that, in any test, has loops that nobody closes: a leak found somewhere else in every tenth run. So
    the call itself fails. (A log that `eval` returned reads its samples when first asked: read it again to score it.)
    """

    def refuse() -> None:
        raise RuntimeError("a plain function of Inspect's was called in a running loop, and would patch asyncio")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_async, "init_nest_asyncio", refuse)
        yield
