"""Finding on a page what else a server offers."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import quote, urldefrag, urljoin, urlsplit

MAX_PAGE = 1 << 20
"""Bytes of a page that are searched for links."""

_NAME = re.compile(r"[^\s\"'<>,;{}\[\]()|]{1,255}")
"""What may be a file's name or path in a text without markup."""
_LINKS = frozenset({"href", "src", "data", "action", "data-url"})


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "form":  # a form is not followed by reading
            self.found += [value for name, value in attrs if name in _LINKS and value]


def links_of(target: str, kind: str, page: bytes) -> list[str]:
    """Targets on the same server that a page at `target` names, in order, each once.

    Args:
        target: path and query of the page.
        kind: its media type. In markup, links count; in other text (a folder's list of files, JSON) whatever looks like
            a name.
        page: its content.
    """
    text = page[:MAX_PAGE].decode("utf-8", "replace")
    if "html" in kind:
        parser = _Links()
        parser.feed(text)
        named = parser.found
    elif target.endswith("/") and (kind.startswith("text/") or "json" in kind or "xml" in kind):
        named = [quote(name, safe="/?=&%") for name in _NAME.findall(text) if "." in name.strip(".") or "/" in name]
    else:
        named = []
    found = (_resolve(target, link) for link in named)
    return [link for link in dict.fromkeys(found) if link is not None]


def _resolve(target: str, link: str) -> str | None:
    """The link as a target; None where it leads elsewhere or nowhere."""
    base = f"http://h{target}"
    try:
        parts = urlsplit(urldefrag(urljoin(base, link.strip())).url)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or parts.netloc not in ("h", ""):
        return None
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    return f"{path}?{quote(parts.query, safe='/%:@!$&()*+,;=~-._?')}" if parts.query else path
