"""Each system's way of replacing files, tested on whatever system this is."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import SimpleNamespace
from typing import Any

import pytest

from keywright import platform


def os_error(number: int, windows: int | None = None) -> OSError:
    error = OSError(number, "said the system")
    if windows is not None:
        error.winerror = windows  # type: ignore[attr-defined, unused-ignore]
    return error


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("C:\\Photos\\a.jpg", "C:\\Photos\\a.jpg"),
        ("C:\\" + "d" * 300 + "\\a.jpg", "\\\\?\\C:\\" + "d" * 300 + "\\a.jpg"),
        ("\\\\nas\\photos\\" + "d" * 300, "\\\\?\\UNC\\nas\\photos\\" + "d" * 300),
        ("\\\\?\\C:\\" + "d" * 300, "\\\\?\\C:\\" + "d" * 300),
    ],
)
def test_windows_takes_long_paths_in_their_extended_form(path: str, wanted: str) -> None:
    found: Any = platform.system_path(PureWindowsPath(path), windows=True)  # type: ignore[arg-type]
    assert str(found) == str(PureWindowsPath(wanted))


def test_other_systems_take_paths_as_they_are() -> None:
    path: Any = PurePosixPath("/" + "d" * 300)
    assert platform.system_path(path, windows=False) is path


def test_windows_compares_paths_whatever_their_case_and_strokes() -> None:
    key = platform.path_key("C:/Photos\\Ünder", windows=True, macos=False)
    assert key == platform.path_key("c:\\photos\\üNDER", windows=True, macos=False)
    assert key != platform.path_key("c:\\photos\\u\u0308nder", windows=True, macos=False)


def test_macos_compares_paths_whatever_their_case_and_however_accents_are_composed() -> None:
    key = platform.path_key("/Photos/Ünder", windows=False, macos=True)
    assert key == platform.path_key("/photos/u\u0308nder", windows=False, macos=True)
    assert key != platform.path_key("/photos/under", windows=False, macos=True)


def test_linux_compares_paths_by_every_byte() -> None:
    for path in ("/Photos/Ünder", "/photos/ünder", "/photos/u\u0308nder", "C:/a\\b", "/photos/\udcff"):
        assert platform.path_key(path, windows=False, macos=False) == path


def test_a_full_disk_and_a_file_in_use_are_known_on_every_system() -> None:
    assert platform.is_disk_full(os_error(errno.ENOSPC))
    assert platform.is_disk_full(os_error(errno.EDQUOT))
    assert platform.is_disk_full(os_error(0, 112))
    assert not platform.is_disk_full(os_error(errno.EIO))
    assert platform.is_in_use(os_error(errno.EBUSY))
    assert platform.is_in_use(os_error(errno.EACCES, 32))
    assert not platform.is_in_use(os_error(errno.EACCES))


def test_a_file_in_use_for_a_moment_is_tried_again_and_one_in_use_for_long_is_not_for_ever() -> None:
    tries, waits = [], []

    def busy_twice() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise os_error(errno.EACCES, 32)

    platform.patiently(busy_twice, waits.append)
    assert (len(tries), len(waits)) == (3, 2)

    def always() -> None:
        raise os_error(errno.EACCES, 32)

    with pytest.raises(OSError, match="said the system"):
        platform.patiently(always, waits.append)

    def hopeless() -> None:
        tries.append(1)
        raise os_error(errno.EIO)

    tries.clear()
    with pytest.raises(OSError, match="said the system"):
        platform.patiently(hopeless, waits.append)
    assert len(tries) == 1


def test_macos_syncs_through_the_drives_cache_and_falls_back_where_the_drive_cannot(tmp_path: Path) -> None:
    with (tmp_path / "a").open("wb") as file:
        synced: list[int] = []
        platform.sync_file(file.fileno(), synced.append)
        assert synced == [file.fileno()]

        def unsupported(_descriptor: int) -> None:
            raise os_error(errno.ENOTSUP)

        platform.sync_file(file.fileno(), unsupported)

        def broken(_descriptor: int) -> None:
            raise os_error(errno.EIO)

        with pytest.raises(OSError, match="said the system"):
            platform.sync_file(file.fileno(), broken)


def test_windows_has_no_folders_to_sync(tmp_path: Path) -> None:
    platform.sync_folder(tmp_path / "not there", windows=True)
    platform.sync_folder(tmp_path)


@pytest.mark.parametrize("windows", [True, False])
def test_a_new_file_never_takes_the_place_of_another(tmp_path: Path, windows: bool) -> None:
    ours, there, free = tmp_path / "ours", tmp_path / "there", tmp_path / "free"
    ours.write_text("ours")
    there.write_text("theirs")
    if not windows or sys.platform == "win32":  # POSIX's rename would replace it, which is why it is not used there
        with pytest.raises(FileExistsError):
            platform.put_in_place(ours, there, windows=windows)
        assert (ours.read_text(), there.read_text()) == ("ours", "theirs")
    platform.put_in_place(ours, free, windows=windows)
    assert free.read_text() == "ours"
    assert not ours.exists()


@pytest.mark.skipif(os.name != "posix", reason="POSIX links")
def test_a_new_file_takes_its_place_on_drives_without_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_args: object, **_options: object) -> None:
        raise os_error(errno.EPERM)

    monkeypatch.setattr(platform.os, "link", no_links)
    ours, there, free = tmp_path / "ours", tmp_path / "there", tmp_path / "free"
    ours.write_text("ours")
    there.write_text("theirs")
    with pytest.raises(FileExistsError):
        platform.put_in_place(ours, there, windows=False)
    platform.put_in_place(ours, free, windows=False)
    assert (free.read_text(), there.read_text()) == ("ours", "theirs")


class Attributes:
    """The calls of ``os`` for extended attributes, with a system that refuses some."""

    def __init__(self, refuses: dict[str, int]) -> None:
        self.refuses = refuses
        self.copied: dict[str, bytes] = {}

    def listxattr(self, _path: Path) -> list[str]:
        return ["user.tag", "security.selinux", "trusted.overlay"]

    def getxattr(self, _path: Path, name: str) -> bytes:
        return name.encode()

    def setxattr(self, _path: Path, name: str, value: bytes) -> None:
        if name in self.refuses:
            raise os_error(self.refuses[name])
        self.copied[name] = value


def test_labels_that_only_the_system_sets_are_left_to_it_and_the_users_are_not_lost_silently() -> None:
    system = Attributes({"security.selinux": errno.EPERM, "trusted.overlay": errno.ENOTSUP})
    platform.copy_extended_attributes(Path("a"), Path("b"), system)
    assert system.copied == {"user.tag": b"user.tag"}
    with pytest.raises(OSError, match="said the system"):
        platform.copy_extended_attributes(Path("a"), Path("b"), Attributes({"user.tag": errno.ENOSPC}))
    platform.copy_extended_attributes(Path("a"), Path("b"), SimpleNamespace())  # a system without any


def test_macos_copies_access_lists_and_attributes_with_copyfile() -> None:
    calls: list[tuple[Any, ...]] = []
    library = SimpleNamespace(copyfile=lambda *args: calls.append(args) or 0)
    platform._copy_mac_attributes(Path("/a"), Path("/b"), library)
    assert calls == [(b"/a", b"/b", None, 0b101)]


def test_windows_keeps_the_time_of_creation_and_the_marks(tmp_path: Path) -> None:
    told: list[tuple[Any, ...]] = []
    kernel = SimpleNamespace(
        CreateFileW=lambda *_: 5,
        SetFileTime=lambda handle, created, *_: told.append((handle, created[0] | created[1] << 32)),
        CloseHandle=lambda handle: told.append((handle,)),
        SetFileAttributesW=lambda name, marks: told.append((name, marks)),
    )
    was: Any = SimpleNamespace(st_ctime_ns=0, st_birthtime_ns=1_000_000_000, st_file_attributes=0x23)
    platform._copy_windows_attributes(was, tmp_path, kernel)
    assert told == [(5, 116_444_736_010_000_000), (5,), (str(tmp_path), 0x22)]


def test_the_owner_is_kept_or_else_the_group_or_else_neither(tmp_path: Path) -> None:
    def only(allowed: set[tuple[int, int]]) -> list[tuple[int, int]]:
        done = []

        def chown(_path: Path, owner: int, group: int) -> None:
            if (owner, group) not in allowed:
                raise os_error(errno.EPERM)
            done.append((owner, group))

        platform._copy_owner(was, tmp_path, chown)
        return done

    was: Any = SimpleNamespace(st_uid=4321, st_gid=5432)
    assert only({(4321, 5432), (-1, 5432)}) == [(4321, 5432)]
    assert only({(-1, 5432)}) == [(-1, 5432)]
    assert only(set()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's leases")
def test_linux_knows_who_has_a_file_open_for_writing_without_a_lock(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("x")
    with path.open("rb"), platform.held_against_writers(path):
        pass  # readers are no harm
    with (
        path.open("r+b"),
        pytest.raises(BlockingIOError, match="open for writing"),
        platform.held_against_writers(path),
    ):
        pass
