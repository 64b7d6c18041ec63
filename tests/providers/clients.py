"""Models behind the real clients, whose service is a local server."""

from __future__ import annotations

from inspect_ai.model import Model, get_model

from .server import KEY


def anthropic_at(url: str, name: str = "stand-in", *, key: str = KEY, retries: int = 2) -> Model:
    """A model behind the real client; `retries` are the client's own."""
    return get_model(f"anthropic/{name}", base_url=url, api_key=key, max_retries=retries, memoize=False)


def openai_at(url: str, *, stream: bool = False, retries: int = 2) -> Model:
    """A model behind the real client; `retries` are the client's own."""
    return get_model(
        "openai-api/local/stand-in",
        base_url=f"{url}/v1",
        api_key=KEY,
        max_retries=retries,
        stream=stream,
        memoize=False,
    )
