"""The world's archive keeps owners, modes and times, and is the same for the same world."""

import io
import tarfile
from datetime import UTC, datetime, timedelta

from afagent.world.files import DATA_GROUP, File, Folder, Link, pack, text

OLD = datetime(2026, 3, 2, 9, 41, 7, tzinfo=UTC)
NEW = OLD + timedelta(days=3)


def unpack(archive: bytes) -> dict[str, tarfile.TarInfo]:
    return {member.name: member for member in tarfile.open(fileobj=io.BytesIO(archive))}


def test_owner_mode_and_time_are_kept():
    members = unpack(pack([File("/srv/a/run.sh", b"x", OLD, 1101, DATA_GROUP, 0o750)]))
    run = members["srv/a/run.sh"]
    assert (run.uid, run.gid, run.mode, run.mtime) == (1101, DATA_GROUP, 0o750, OLD.timestamp())


def test_folders_nobody_named_are_roots_and_as_old_as_what_lies_in_them():
    folder = unpack(pack([text("/srv/a/b/1", "", OLD), text("/srv/a/b/2", "", NEW)]))["srv/a/b"]
    assert (folder.uid, folder.mode, folder.mtime) == (0, 0o755, NEW.timestamp())


def test_top_level_places_are_left_as_they_are():
    assert "srv" not in unpack(pack([text("/srv/a/1", "", OLD)]))


def test_a_folder_stands_before_what_is_in_it():
    names = list(unpack(pack([text("/srv/a/b/c", "", OLD), Folder("/srv/a", OLD), Link("/srv/a/l", "/gone", OLD)])))
    assert names.index("srv/a") < names.index("srv/a/b") < names.index("srv/a/b/c")


def test_the_later_of_two_items_with_one_path_stands():
    assert unpack(pack([text("/srv/a", "first", OLD), text("/srv/a", "second!", OLD)]))["srv/a"].size == 7


def test_the_same_items_give_the_same_bytes_in_any_order():
    items = [text("/srv/a", "1", OLD), text("/home/b", "2", NEW), Link("/srv/l", "a", OLD)]
    assert pack(items) == pack(items[::-1])
