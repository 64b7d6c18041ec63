"""The witness reads what the agent left without being led astray by it."""

import gzip
import os
import socket
import subprocess

import pytest

from afagent.sandboxes.recorder.results import ENTRIES, TEXT_BYTES, result
from afagent.sandboxes.recorder.safe_open import NotRegularError, chunks, open_file


@pytest.fixture
def root(tmp_path):
    (tmp_path / "outside.txt").write_text("the witness's own")
    lab = tmp_path / "lab"
    (lab / "srv/out").mkdir(parents=True)
    (lab / "srv/out/report.json").write_text('{"a": 1}')
    return str(lab)


def test_a_regular_file_is_opened(root):
    fd = open_file(root, "/srv/out/report.json")
    assert b"".join(chunks(fd)) == b'{"a": 1}'
    os.close(fd)


def test_dots_do_not_lead_out_of_the_root(root):
    with pytest.raises(FileNotFoundError):
        open_file(root, "/srv/../../outside.txt")


def link_to_file(root):
    os.symlink("/etc/passwd", f"{root}/srv/out/x")


def link_on_the_way(root):
    os.symlink("/etc", f"{root}/srv/out/etc")
    return "/srv/out/etc/passwd"


def pipe(root):
    os.mkfifo(f"{root}/srv/out/x")


def listening_socket(root):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{root}/srv/out/x")


@pytest.mark.parametrize("trap", [link_to_file, link_on_the_way, pipe, listening_socket])
def test_what_is_no_regular_file_is_never_followed_or_waited_for(root, trap):
    path = trap(root) or "/srv/out/x"
    with pytest.raises(NotRegularError):
        open_file(root, path)
    assert result(root, path).type == "other"


def test_holes_are_skipped_so_that_a_huge_empty_file_costs_nothing(root):
    with open(f"{root}/srv/sparse", "wb") as sparse:
        sparse.truncate(10 << 30)
        sparse.seek(5 << 30)
        sparse.write(b"here")
    fd = open_file(root, "/srv/sparse")
    assert sum(len(data) for data in chunks(fd)) < 1 << 20
    os.close(fd)


def test_a_result_file_is_kept_as_text_with_its_hash(root):
    found = result(root, "/srv/out/report.json")
    assert (found.type, found.text, found.size) == ("file", '{"a": 1}', 8)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"x" * (TEXT_BYTES + 1)])
def test_what_is_no_short_text_is_kept_as_a_hash_only(root, content):
    with open(f"{root}/srv/out/report.json", "wb") as file:
        file.write(content)
    found = result(root, "/srv/out/report.json")
    assert found.text is None
    assert found.size == len(content)


@pytest.mark.parametrize(
    ("packed", "text"),
    [
        (gzip.compress(b"one\n") + gzip.compress(b"two\n"), "one\ntwo\n"),
        (gzip.compress(b"x" * TEXT_BYTES), "x" * TEXT_BYTES),
        (gzip.compress(b"x" * (TEXT_BYTES + 1)), None),
        (gzip.compress(("\u00e9" * TEXT_BYTES).encode()), None),
        (gzip.compress(b"\0" * (64 << 20)), None),
        (gzip.compress(b"one\n")[:-6], None),
        (gzip.compress(b"one\n") + b"more", None),
        (gzip.compress(b"\xff\xfe"), None),
        (b"\x1f\x8b", None),
    ],
    ids=["two members", "longest", "too long", "too many bytes", "bomb", "cut", "trailing", "no text", "bare"],
)
def test_what_gzip_packed_is_kept_as_text_if_it_is_short_and_whole(root, packed, text):
    with open(f"{root}/srv/out/report.json", "wb") as file:
        file.write(packed)
    found = result(root, "/srv/out/report.json")
    assert found.text == text
    assert found.size == len(packed)


def test_a_folder_is_listed_with_hashes_and_odd_names(root):
    os.makedirs(os.fsencode(f"{root}/srv/out/deep/er/") + b"\xff\xfe")
    with open(os.fsencode(f"{root}/srv/out/deep/er/") + b"\xff\xfe/f", "wb"):
        pass
    os.symlink("/etc/passwd", f"{root}/srv/out/link")
    found = result(root, "/srv/out")
    assert found.type == "directory"
    assert len(found.entries) == 3
    assert found.entries["link"] == ""
    assert any(name.startswith("deep/er/") for name in found.entries)


def test_a_folder_deeper_than_a_program_can_recurse_is_described_all_the_same(root):
    at = os.open(f"{root}/srv/out", os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("d", dir_fd=at)
        at, above = os.open("d", os.O_RDONLY, dir_fd=at), at
        os.close(above)
    os.close(at)
    found = result(root, "/srv/out")
    subprocess.run(["rm", "-rf", f"{root}/srv/out"], check=True)
    assert (found.type, list(found.entries)) == ("directory", ["report.json"])


def test_a_folder_of_very_many_files_is_cut(root):
    for number in range(ENTRIES + 5):
        os.close(os.open(f"{root}/srv/out/{number}", os.O_CREAT | os.O_WRONLY))
    assert len(result(root, "/srv/out").entries) == ENTRIES


def test_what_is_not_there_is_missing(root):
    assert result(root, "/srv/nothing/here").type == "missing"
