"""What differs between Windows, macOS and Linux when a file is replaced: nothing else in Keywright asks which it is.

Each function's decision is pure or takes the system's call as an argument, so that every side's logic is tested on
whatever system the tests run on.
"""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import errno
import os
import stat
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

WINDOWS = sys.platform == "win32"
MACOS = sys.platform == "darwin"

_WINDOWS_DISK_FULL = {39, 112}  # ERROR_HANDLE_DISK_FULL, ERROR_DISK_FULL
_WINDOWS_IN_USE = {32, 33, 1224}  # ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION, ERROR_USER_MAPPED_FILE
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT}
_IN_USE = {errno.EBUSY, errno.ETXTBSY, errno.EAGAIN, errno.EWOULDBLOCK}
_UNSUPPORTED = {errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.ENOTTY}

_WINDOWS_LONGEST = 240  # MAX_PATH is 260; room for the names we make beside a file


def is_disk_full(error: OSError) -> bool:
    """Whether writing anything more there is hopeless: no room, or the user's quota is used up."""
    return getattr(error, "winerror", None) in _WINDOWS_DISK_FULL or error.errno in _DISK_FULL


def is_in_use(error: OSError) -> bool:
    """Whether another program has the file open in a way that forbids replacing it."""
    return getattr(error, "winerror", None) in _WINDOWS_IN_USE or error.errno in _IN_USE


def system_path(path: Path, windows: bool = WINDOWS) -> Path:
    r"""The path as the system's calls want it: Windows takes long ones only in the ``\\?\`` form."""
    text = str(path)
    if not windows or len(text) < _WINDOWS_LONGEST or text.startswith("\\\\?\\"):
        return path
    if text.startswith("\\\\"):
        return type(path)("\\\\?\\UNC\\" + text[2:])
    return type(path)("\\\\?\\" + text)


def path_key(text: str, windows: bool = WINDOWS, macos: bool = MACOS) -> str:
    """A path's text as paths are compared: two of the same file have the same key on the usual drives of the system.

    Windows and macOS fold case, Windows takes both strokes, macOS takes accents composed or apart.
    """
    if windows:
        return text.replace("/", "\\").lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold()) if macos else text


def expanded(text: str | Path) -> Path:
    """A path with ``~`` as the user's home; ``~name`` of nobody here stays as in a shell: it may be a file."""
    return Path(os.path.expanduser(text))  # noqa: PTH111 - Path's own raises there


def patiently(
    action: Callable[[], object],
    pause: Callable[[float], None] = time.sleep,
    waits: tuple[float, ...] = (0.05, 0.2, 0.75),
) -> None:
    """Do ``action`` again after a while where the file is in use: on Windows virus scanners and indexers open every
    new file for a moment. Raises what the last try raised."""
    for wait in waits:
        try:
            action()
        except OSError as error:
            if not is_in_use(error):
                raise
            pause(wait)
        else:
            return
    action()


def sync_file(descriptor: int, full_sync: Callable[[int], None] | None = None) -> None:
    """Bring an open file to the disk itself.

    On macOS ``fsync`` leaves it in the drive's own cache; F_FULLFSYNC does not.
    """
    full = full_sync or (_mac_full_sync if MACOS else None)
    if full is not None:
        try:
            full(descriptor)
            return
        except OSError as error:
            if error.errno not in _UNSUPPORTED:  # network drives know no F_FULLFSYNC
                raise
    os.fsync(descriptor)


def _mac_full_sync(descriptor: int) -> None:
    import fcntl

    fcntl.fcntl(descriptor, 51)  # F_FULLFSYNC


def sync_folder(folder: Path, windows: bool = WINDOWS) -> None:
    """Bring the names in a folder to the disk, so that a rename outlives a power cut.

    Windows cannot open folders and writes its names through NTFS's own log; some network drives refuse to sync them.
    """
    if windows:
        return
    descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    try:
        sync_file(descriptor)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
    finally:
        os.close(descriptor)


def replace(source: Path, target: Path) -> None:
    """Give ``source`` the name ``target``, whose file goes away, in one step."""
    if WINDOWS:
        patiently(lambda: system_path(source).replace(system_path(target)))
    else:
        source.replace(target)


def put_in_place(source: Path, target: Path, windows: bool = WINDOWS) -> None:
    """Give ``source`` the name ``target``, which no file may have: ``FileExistsError`` where one has."""
    if windows:
        patiently(lambda: system_path(source).rename(system_path(target)))
        return
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError as error:
        # exFAT, FAT and many network drives have no hard links.
        if error.errno not in _UNSUPPORTED | {errno.EPERM, errno.EACCES, errno.EMLINK, errno.EXDEV}:
            raise
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        source.rename(target)
        return
    source.unlink()


def copy_attributes(source: Path, target: Path, *, times: bool) -> None:
    """Give the new file ``target`` what belongs to ``source`` besides its content.

    Permissions, access lists, extended attributes and flags; the owner and the group where the system lets us (only
    an administrator may give files away); the times where ``times`` is true.
    Raises ``OSError`` where something that can be kept was not.
    """
    was = system_path(source).stat()
    if WINDOWS:
        _copy_windows_attributes(was, target)
    else:
        _copy_owner(was, target, os.chown)
        if MACOS:
            _copy_mac_attributes(source, target)
        else:
            copy_extended_attributes(source, target)
        target.chmod(stat.S_IMODE(was.st_mode))
    if times:
        os.utime(system_path(target), ns=(was.st_atime_ns, was.st_mtime_ns))


def _copy_owner(was: os.stat_result, target: Path, chown: Callable[[Path, int, int], None]) -> None:
    now = target.stat()
    for owner, group in ((was.st_uid, was.st_gid), (-1, was.st_gid)):
        if (owner in (-1, now.st_uid)) and group == now.st_gid:
            return
        try:
            chown(target, owner, group)
            return
        except OSError as error:
            if error.errno not in _UNSUPPORTED | {errno.EPERM, errno.EACCES}:
                raise


def copy_extended_attributes(source: Path, target: Path, system: Any = os) -> None:
    """Copy Linux's extended attributes, among them POSIX access lists; ``system`` has the calls of ``os``.

    Attributes that only the system may set (security labels) are left to the system.
    """
    if not hasattr(system, "listxattr"):
        return
    try:
        names = system.listxattr(source)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return
        raise
    for name in names:
        try:
            system.setxattr(target, name, system.getxattr(source, name))
        except OSError as error:
            ours = name.startswith(("user.", "system.posix_acl"))
            if error.errno == errno.ENODATA or (not ours and error.errno in _UNSUPPORTED | {errno.EPERM, errno.EACCES}):
                continue
            raise


def _copy_mac_attributes(source: Path, target: Path, library: Any = None) -> None:
    """``copyfile(3)`` with COPYFILE_ACL | COPYFILE_XATTR: access lists, Finder tags and comments."""
    libc = library or ctypes.CDLL(ctypes.util.find_library("c"), use_errno=True)
    if libc.copyfile(os.fsencode(source), os.fsencode(target), None, (1 << 0) | (1 << 2)) != 0:
        code = ctypes.get_errno()
        if code not in _UNSUPPORTED:
            raise OSError(code, os.strerror(code), str(target))


def windows_filetime(unix_ns: int) -> tuple[int, int]:
    """A time as Windows has it (100 ns since 1601), its low and its high half."""
    ticks = unix_ns // 100 + 116_444_736_000_000_000
    return ticks & 0xFFFFFFFF, ticks >> 32


def _copy_windows_attributes(was: os.stat_result, target: Path, kernel: Any = None) -> None:
    """Hidden, system and archive marks, and the time of creation; access rights come from the folder, as always."""
    kernel32: Any = kernel or getattr(ctypes, "WinDLL")("kernel32", use_last_error=True)  # noqa: B009
    name = str(system_path(target, windows=True))
    handle = kernel32.CreateFileW(name, 0x100, 7, None, 3, 0x80, None)  # FILE_WRITE_ATTRIBUTES, share all, existing
    if handle not in (-1, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF, None):
        low, high = windows_filetime(getattr(was, "st_birthtime_ns", was.st_ctime_ns))
        created = (ctypes.c_uint32 * 2)(low, high)
        kernel32.SetFileTime(handle, created, None, None)
        kernel32.CloseHandle(handle)
    marks = int(getattr(was, "st_file_attributes", 0)) & 0x26  # hidden, system, archive
    if marks:
        kernel32.SetFileAttributesW(name, marks)


@contextlib.contextmanager
def held_against_writers(path: Path) -> Iterator[None]:
    """Inside the block nobody else begins to write the file; ``BlockingIOError`` where somebody is writing it already.

    Linux: a read lease, which the kernel gives only where no program has the file open for writing, and for which a
    program that wants to begin must wait. POSIX: a shared advisory lock besides. Windows refuses to replace open
    files by itself. Where the drive knows none of these, the block simply runs.
    """
    if WINDOWS:
        yield
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        _take_lease(descriptor)
        _take_lock(descriptor)
        yield
    finally:
        os.close(descriptor)  # gives up both


def _take_lease(descriptor: int) -> None:
    import fcntl
    import signal

    if not hasattr(fcntl, "F_SETLEASE"):
        return
    try:
        # The kernel tells a holder that it is waited for; SIGIO would end the process, SIGURG is ignored by default.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EWOULDBLOCK):
            raise BlockingIOError(error.errno, "it is open for writing in another program") from error
        # Another owner's file (EACCES), or a drive without leases.


def _take_lock(descriptor: int) -> None:
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EWOULDBLOCK):
            raise BlockingIOError(error.errno, "another program has locked it") from error


def lower_priority(windows: bool = WINDOWS) -> dict[str, Any]:
    """Arguments for ``Popen`` that start a background process so that it leaves the machine to the user."""
    if windows:
        return {"creationflags": 0x00004000 | 0x08000000}  # BELOW_NORMAL_PRIORITY_CLASS, CREATE_NO_WINDOW
    return {}


def be_polite(system: Any = os) -> None:
    """Leave the processors to whoever wants them; POSIX does it from within (Windows: ``lower_priority``)."""
    if hasattr(system, "nice"):
        with contextlib.suppress(OSError):
            system.nice(15)


def write_private(path: Path, text: str, windows: bool = WINDOWS) -> None:
    """Write a file that only the user can read, whole or not at all.

    On Windows a new file has the rights of its folder, which in the user's profile are the user's (and the
    administrators') alone.
    """
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(fresh, flags, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        if not windows:
            os.fchmod(file.fileno(), 0o600)  # whatever the umask
        file.write(text)
    replace(fresh, path)


ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1")
"""Environment in which arithmetic uses one core: a process that answers many small questions at once is slowed by each
of them taking all cores. It must be set before numpy is first imported."""
