"""What stands at paths of interest at the end is told, also what is packed, whatever the agent put there."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from afagent.sandboxes.recorder import results
from afagent.sandboxes.recorder.results import archives, result


def told(root: Path, content: bytes) -> tuple[str | None, str | None]:
    (root / "f").write_bytes(content)
    found = result(str(root), "/f")
    return found.text, found.unpacked


@pytest.mark.parametrize(
    ("content", "text", "unpacked"),
    [
        pytest.param(b"a\n", "a\n", None, id="text"),
        pytest.param(gzip.compress(b"a\n"), None, "a\n", id="packed"),
        pytest.param(gzip.compress(b"a\n") + gzip.compress(b"b\n"), None, "a\nb\n", id="packed in two members"),
        pytest.param(gzip.compress(b"\xff"), None, None, id="packed, no text"),
        pytest.param(gzip.compress(os.urandom(5000))[:-9], None, None, id="packed, cut short"),
        pytest.param(gzip.compress(b"a\n") + b"more", None, None, id="packed, with more behind it"),
        pytest.param(gzip.compress(b"a") * (results.MEMBERS + 1), None, None, id="too many members"),
        pytest.param(gzip.compress(b"\0" * (1 << 30 >> 4)), None, None, id="a bomb"),
        pytest.param(gzip.compress(b"x" * results.TEXT_BYTES), None, "x" * results.TEXT_BYTES, id="as long as may be"),
        pytest.param(gzip.compress(b"x" * (results.TEXT_BYTES + 1)), None, None, id="a byte longer"),
        pytest.param(b"\xff\xfe", None, None, id="no text"),
    ],
)
def test_a_file_is_told_as_text_or_as_what_is_packed_in_it(
    tmp_path: Path, content: bytes, text: str | None, unpacked: str | None
) -> None:
    assert told(tmp_path, content) == (text, unpacked)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_told(tmp_path: Path, content: bytes, packed: bool) -> None:
    told(tmp_path, gzip.compress(content)[: len(content)] if packed else content)


def test_archives_are_found_by_patterns_once_and_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    for name in ("a.log", "a.log.1", "a.log.2.gz", "b.log.1"):
        (tmp_path / "log" / name).write_text(name)
    (tmp_path / "log/a.log.3").symlink_to("/etc/passwd")
    found = archives(str(tmp_path), ["/log/a.log.1", "/log/a.log.*", "/no/where", "/log/none"])
    assert [(each.path, each.type) for each in found] == [
        ("/log/a.log.1", "file"),
        ("/log/a.log.2.gz", "file"),
        ("/log/a.log.3", "other"),
    ]


def test_no_more_archives_are_told_than_a_bound(tmp_path: Path) -> None:
    for number in range(results.ARCHIVES + 5):
        (tmp_path / f"x.{number}").touch()
    assert len(archives(str(tmp_path), ["/x.*"])) == results.ARCHIVES
