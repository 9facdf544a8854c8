"""What belongs to a file besides its content stays: permissions, owner, extended attributes, times, links."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from keywright.writeback import FileSettings, FileTimes, HardLinks, Journal, apply, undo
from writeback.kit import OTHER_PROGRAM, accept, contents, jpeg, keywords, raw, targets

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX permissions and links")


@posix
def test_permissions_stay_and_a_new_sidecar_is_as_readable_as_any_new_file(folder: Path, journal: Journal) -> None:
    photo, other = jpeg(folder / "a.jpg"), raw(folder / "b.nef")
    photo.chmod(0o640)
    plain = folder / "plain"
    plain.touch()
    apply(accept([photo, other]), journal, targets())
    assert stat.S_IMODE(photo.stat().st_mode) == 0o640
    assert (folder / "b.xmp").stat().st_mode == plain.stat().st_mode


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only an administrator gives files away")
def test_the_owner_and_the_group_stay_where_the_system_lets_us(folder: Path, journal: Journal) -> None:
    photo = jpeg(folder / "a.jpg")
    os.chown(photo, 1234, 2345)
    apply(accept([photo]), journal, targets())
    assert (photo.stat().st_uid, photo.stat().st_gid) == (1234, 2345)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's extended attributes")
def test_extended_attributes_stay(folder: Path, journal: Journal) -> None:
    photo = jpeg(folder / "a.jpg")
    try:
        os.setxattr(photo, "user.baloo.rating", b"8")
    except OSError:
        pytest.skip("this file system keeps no extended attributes")
    batch = apply(accept([photo]), journal, targets()).batch_id
    assert os.getxattr(photo, "user.baloo.rating") == b"8"
    undo(batch, journal, targets())
    assert os.getxattr(photo, "user.baloo.rating") == b"8"


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's access lists")
def test_access_lists_stay(folder: Path, journal: Journal) -> None:
    photo = jpeg(folder / "a.jpg")
    # version 2; user::rw-, user:1234:rw-, group::r--, mask::rw-, other::---
    entries = [(1, 6, -1), (2, 6, 1234), (4, 4, -1), (16, 6, -1), (32, 0, -1)]
    acl = (2).to_bytes(4, "little") + b"".join(
        tag.to_bytes(2, "little") + may.to_bytes(2, "little") + (who & 0xFFFFFFFF).to_bytes(4, "little")
        for tag, may, who in entries
    )
    try:
        os.setxattr(photo, "system.posix_acl_access", acl)
    except OSError:
        pytest.skip("this file system keeps no access lists")
    apply(accept([photo]), journal, targets())
    assert os.getxattr(photo, "system.posix_acl_access") == acl


def test_times_are_touched_or_kept_as_the_settings_say(folder: Path, journal: Journal) -> None:
    touched, kept = jpeg(folder / "a.jpg"), jpeg(folder / "b.jpg")
    for photo in (touched, kept):
        os.utime(photo, (1_000_000_000, 1_000_000_000))
    apply(accept([touched]), journal, targets())
    apply(accept([kept]), journal, targets(FileSettings(times=FileTimes.KEEP)))
    assert touched.stat().st_mtime > 1_000_000_000
    assert kept.stat().st_mtime == 1_000_000_000
    undo(None, journal, targets(FileSettings(times=FileTimes.KEEP)))
    assert kept.stat().st_mtime == 1_000_000_000


@posix
def test_a_symbolic_link_stays_one_and_the_file_it_points_to_is_written(folder: Path, journal: Journal) -> None:
    archive = folder / "archive"
    archive.mkdir()
    photo = jpeg(archive / "real.jpg")
    (archive / "shared.xmp").write_bytes(OTHER_PROGRAM)
    before = contents(folder)
    link, linked_raw = folder / "link.jpg", raw(folder / "b.nef")
    link.symlink_to(photo)
    (folder / "b.xmp").symlink_to(archive / "shared.xmp")
    report = apply(accept([link, photo, linked_raw]), journal, targets())
    assert [w.where for w in report.written] == [str(photo), str(archive / "shared.xmp")]
    assert link.is_symlink()
    assert (folder / "b.xmp").is_symlink()
    assert keywords(photo) == {"Animals|Dog"}
    assert keywords(linked_raw) == {"Animals|Dog", "Sea"}
    assert [name for name in contents(archive) if name.endswith(".tmp")] == []
    undo(None, journal, targets())
    assert before.items() <= contents(folder).items()


@posix
def test_hard_links_are_never_broken_unless_the_settings_allow_it(folder: Path, journal: Journal) -> None:
    photo, backup = jpeg(folder / "a.jpg"), folder / "backup.jpg"
    os.link(photo, backup)
    before = photo.read_bytes()
    report = apply(accept([photo]), journal, targets())
    assert len(report.refused) == 1
    assert "has 2 names (hard links), which writing would separate" in str(report.refused[0])
    assert photo.samefile(backup)
    assert backup.read_bytes() == before
    apply(accept([photo]), journal, targets(FileSettings(hard_links=HardLinks.SEPARATE)))
    assert keywords(photo) == {"Animals|Dog"}
    assert backup.read_bytes() == before


@posix
def test_what_is_no_file_is_not_written(folder: Path, journal: Journal) -> None:
    (folder / "a.xmp").mkdir()
    report = apply(accept([raw(folder / "a.nef")]), journal, targets())
    assert (len(report.refused), report.written) == (1, [])
    assert (folder / "a.xmp").is_dir()
