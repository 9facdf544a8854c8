"""Puts Keywright into digiKam and takes it away again: an entry under Open With, a workflow for its batch queues.

digiKam keeps all its workflows in one file, ``queue.xml``, which it reads at its start and writes at its end. Ours is
one element of it, known by a mark in its description: it is put in, replaced and cut out as text, and every other
byte stays as it is. That is done only while digiKam is closed, or it would write the file over.
"""

from __future__ import annotations

import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat
from xml.sax.saxutils import escape

from keywright_plugin.platform import MACOS, WINDOWS

MARK = "app.keywright.digikam"
TITLE = "Keywright: keywords"
CONFIDENCE = "0.9"
DESKTOP, SHELL, WINDOWS_SCRIPT, WORKFLOW = (
    "keywright-digikam.desktop", "keywright-queue.sh", "keywright-queue.cmd", "workflow.xml",
)  # fmt: skip
_OURS_IN_DESKTOP = "X-Keywright=digikam"
_EMPTY = '<!DOCTYPE XMLQueueList>\n<queuelist version="2.0" client="digikam" encoding="UTF-8">\n</queuelist>\n'
_CONFIDENCE = re.compile(r"--min-confidence (0?\.\d+|0|1)(?![\d.])")


class InstallError(Exception):
    """Keywright cannot be put into digiKam or taken out of it; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where this user's digiKam looks on this system."""

    workflows: Path  # queue.xml
    menu: Path | None  # the folder of .desktop files; None where digiKam asks the system what opens a photo
    script: Path | None  # Windows' keywright-queue.cmd; elsewhere the script is in the workflow itself

    def files(self) -> tuple[Path, ...]:
        return tuple(p for p in (self.workflows, self.menu and self.menu / DESKTOP, self.script) if p is not None)


@dataclass(frozen=True, slots=True)
class Installed:
    """The files that were written, and whether Keywright was there before."""

    files: tuple[Path, ...]
    updated: bool


def places(
    environment: Mapping[str, str] | None = None,
    windows: bool = WINDOWS,
    macos: bool = MACOS,
    user: Path | None = None,
) -> Places:
    """Where digiKam keeps its workflows, and where the desktop looks for programs that open photos."""
    env = os.environ if environment is None else environment
    home = user or Path.home()
    if windows:
        local = Path(env.get("LOCALAPPDATA") or home / "AppData" / "Local")
        roaming = Path(env.get("APPDATA") or home / "AppData" / "Roaming")
        # Qt 5 keeps such data in Local, Qt 6 in Roaming: where digiKam has made its folder is right.
        base = roaming if (roaming / "digikam").is_dir() and not (local / "digikam" / "queue.xml").exists() else local
        return Places(base / "digikam" / "queue.xml", None, local / "keywright" / WINDOWS_SCRIPT)
    if macos:
        return Places(home / "Library" / "Application Support" / "digikam" / "queue.xml", None, None)
    data = Path(env.get("XDG_DATA_HOME") or home / ".local" / "share")
    return Places(data / "digikam" / "queue.xml", data / "applications", None)


def source_folder() -> Path:
    """The front-ends as this Keywright brings them. Raises ``InstallError`` where they are missing."""
    shared = Path(sys.prefix) / "share" / "keywright" / "digikam"  # where the wheel puts them
    checkout = Path(__file__).resolve().parents[2] / "digikam"
    for folder in (checkout, shared):
        if (folder / WORKFLOW).is_file():
            return folder
    raise InstallError("This installation of Keywright has no digiKam front-ends in it; install Keywright again.")


def front_end_command() -> str:
    """The program that digiKam calls: ``keywright-digikam`` of this installation."""
    name = "keywright-digikam.exe" if WINDOWS else "keywright-digikam"
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which("keywright-digikam") or "keywright-digikam"


def install(
    to: Places, running: Callable[[], bool], source: Path | None = None, command: str | None = None
) -> Installed:
    """Put the entry and the workflow there, in the place of older ones; the confidence chosen in the workflow is kept.

    ``running``: whether digiKam runs, which writes its workflows when it ends.

    Raises ``InstallError``, with nothing changed, where digiKam runs, a file there is not Keywright's, or the
    workflows cannot be understood.
    """
    _refuse_while(running)
    brought, program = source or source_folder(), command or front_end_command()
    before = _read(to.workflows)
    old = _own_workflow(before, to.workflows)
    chosen = _CONFIDENCE.search(before[old[0] : old[1]]) if old else None
    confidence = chosen[1] if chosen else CONFIDENCE
    if to.script is None:
        script = filled(_read(brought / SHELL), {
            "COMMAND": shlex.quote(program), "CONFIDENCE": confidence, "MARK": f"keywright-{secrets.token_hex(12)}",
        })  # fmt: skip
    else:
        script = f'@"{to.script}" $INPUT $OUTPUT --min-confidence {confidence}'
    attribute = escape(script, {'"': "&quot;", "\n": "&#10;"})
    workflow = filled(_read(brought / WORKFLOW), {"SCRIPT": attribute})
    writes = {to.workflows: _with_workflow(before, old, workflow)}
    if to.menu is not None:
        words = {"EXEC": exec_word(program), "TRY": program.replace("\\", "\\\\")}
        writes[to.menu / DESKTOP] = filled(_read(brought / DESKTOP), words)
    if to.script is not None:
        writes[to.script] = filled(_read(brought / WINDOWS_SCRIPT), {"COMMAND": program.replace("%", "%%")})
    updated = old is not None
    for file in writes:
        if file != to.workflows and file.exists():
            _check_ours(file)
            updated = True
    for file, text in writes.items():
        _write(file, text)
    if to.menu is not None:
        _tell_desktop(to.menu)
    return Installed(tuple(writes), updated)


def uninstall(to: Places, running: Callable[[], bool]) -> tuple[Path, ...]:
    """Take both away again; the files that were changed or removed, none where nothing of Keywright was there.

    Raises ``InstallError`` as ``install`` does.
    """
    before = _read(to.workflows)
    old = _own_workflow(before, to.workflows)
    others = [file for file in to.files() if file != to.workflows and file.exists()]
    if old is None and not others:
        return ()
    _refuse_while(running)
    for file in others:
        _check_ours(file)
    if old is not None:
        left = before[: old[0]] + before[old[1] :]
        if left == _EMPTY:
            _remove(to.workflows)  # there was no such file before ours
        else:
            _write(to.workflows, left)
    for file in others:
        _remove(file)
    if to.menu is not None:
        _tell_desktop(to.menu)
    return (*((to.workflows,) if old is not None else ()), *others)


def filled(text: str, words: Mapping[str, str]) -> str:
    """A template with ``@WORD@`` replaced, each once over, so that what is put in is not looked at again."""
    return re.sub("@([A-Z]+)@", lambda match: words.get(match[1], match[0]), text)


def exec_word(program: str) -> str:
    """A program as the first word of ``Exec=``; plain where it can be, since digiKam takes quotes off but no escapes.

    https://specifications.freedesktop.org/desktop-entry-spec/latest/exec-variables.html
    """
    literal = program.replace("%", "%%")
    if re.fullmatch(r"[A-Za-z0-9_./+:@,%-]+", literal):
        return literal
    quoted = re.sub(r'(["`$\\])', r"\\\1", literal)
    return '"' + quoted.replace("\\", "\\\\") + '"'


class _Workflows:
    """The workflows in a list of digiKam's: where each stands in its bytes, its title and its description."""

    def __init__(self, data: bytes) -> None:
        self.found: list[tuple[int, int, str, str]] = []
        self._data = data
        self._path: list[str] = []
        self._start = 0
        self._said: dict[str, str] = {}
        self.top = ""
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._end
        self._parser.Parse(data, True)

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        if len(self._path) == 1:
            self.top = name
        elif self._path == ["queuelist", "queue"]:
            self._start, self._said = self._parser.CurrentByteIndex, {}
        elif self._path[:-1] == ["queuelist", "queue"]:
            self._said[name] = attributes.get("value", "")

    def _end(self, _: str) -> None:
        if self._path == ["queuelist", "queue"]:
            stop = self._data.index(b">", self._parser.CurrentByteIndex) + 1
            said = self._said
            self.found.append((self._start, stop, said.get("queuetitle", ""), said.get("queuedesc", "")))
        self._path.pop()


def _own_workflow(text: str, file: Path) -> tuple[int, int] | None:
    """Where in ``text`` our workflow stands, its line's white space and end with it; ``None`` where it is not there."""
    if not text:
        return None
    data = text.encode()
    try:
        workflows = _Workflows(data)
    except expat.ExpatError as error:
        raise InstallError(
            f"digiKam's workflows in {file} cannot be read ({error}); move the file away and try again."
        ) from error
    if workflows.top != "queuelist":
        raise InstallError(f"{file} is not digiKam's list of workflows; move it away and try again.")
    for start, stop, title, description in workflows.found:
        if MARK in description:
            first, rest = data[:start].rstrip(b" \t"), data[stop:].removeprefix(b"\n")
            return len(first.decode()), len(text) - len(rest.decode())
        if title == TITLE:
            raise InstallError(
                f"digiKam has a workflow called {TITLE} that is not Keywright's; rename it there and try again."
            )
    return None


def _with_workflow(text: str, old: tuple[int, int] | None, workflow: str) -> str:
    if old is not None:
        return text[: old[0]] + workflow + text[old[1] :]
    text = text or _EMPTY
    place = text.rfind("</queuelist>")
    if place < 0:  # digiKam has no workflow: <queuelist … />
        opened = re.sub(r"<queuelist\b([^>]*?)\s*/>", r"<queuelist\1>\n</queuelist>", text)
        place = opened.rfind("</queuelist>")
        text = opened
    return text[:place] + workflow + text[place:]


def _refuse_while(running: Callable[[], bool]) -> None:
    if running():
        raise InstallError("digiKam is open and would write its workflows over at its end; close it and try again.")


def _check_ours(file: Path) -> None:
    if not any(mark in _read(file) for mark in (_OURS_IN_DESKTOP, "rem Keywright for digiKam")):
        raise InstallError(f"{file} is not Keywright's; move it away and try again.")


def _read(file: Path) -> str:
    """A file's text; "" where there is none."""
    try:
        return file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise InstallError(f"{file} cannot be read ({getattr(error, 'strerror', None) or error}).") from error


def _write(file: Path, text: str) -> None:
    """The whole new file or the old one, whatever happens."""
    new = file.with_name(f".{file.name}.keywright")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        new.write_bytes(text.encode("utf-8"))
        if file.exists():
            shutil.copymode(file, new)
        new.replace(file)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise InstallError(
            f"{file} cannot be written ({error.strerror or error}); give yourself write access and try again."
        ) from error


def _remove(file: Path) -> None:
    try:
        file.unlink()
    except OSError as error:
        raise InstallError(f"{file} could not be removed ({error.strerror or error}).") from error


def _tell_desktop(menu: Path) -> None:
    """Desktops but KDE's look up what opens a photo in a cache that this program makes."""
    updater = shutil.which("update-desktop-database")
    if updater is not None:
        subprocess.run([updater, "-q", str(menu)], check=False, capture_output=True, timeout=60)
