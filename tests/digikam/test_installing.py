"""Keywright is put into digiKam and taken out again, and nothing else there changes by a byte."""

from __future__ import annotations

import os
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from keywright_plugin.digikam_install import (
    DESKTOP,
    TITLE,
    InstallError,
    Places,
    exec_word,
    install,
    places,
    source_folder,
    uninstall,
)

COMMAND = "/opt/keywright/bin/keywright-digikam"
THEIRS = """<!DOCTYPE XMLQueueList>
<queuelist version="2.0" client="digikam" encoding="UTF-8">
    <queue>
        <queuetitle value="Für's Web &amp; &quot;mehr&quot;"/>
        <queuedesc value="1600 px"/>
        <tool>
            <toolname value="Resize"/>
            <parameter name="Script" type="QString" value="a&#xa;&lt;/queue> b"/>
        </tool>
    </queue>
</queuelist>
"""


def closed() -> bool:
    return False


@pytest.fixture
def to(tmp_path: Path) -> Places:
    return Places(tmp_path / "digikam/queue.xml", tmp_path / "applications", None)


def titles(file: Path) -> list[str | None]:
    return [one.get("value") for one in ET.parse(file).getroot().iter("queuetitle")]


def script(file: Path) -> str:
    for queue in ET.parse(file).getroot().iter("queue"):
        title = queue.find("queuetitle")
        if title is not None and title.get("value") == TITLE:
            found = queue.find("tool/parameter[@name='Script']")
            assert found is not None
            return found.get("value") or ""
    raise AssertionError("no workflow")


@pytest.mark.parametrize(
    ("system", "environment", "workflows", "menu"),
    [
        ("linux", {}, "/home/ann/.local/share/digikam/queue.xml", "/home/ann/.local/share/applications"),
        ("linux", {"XDG_DATA_HOME": "/data"}, "/data/digikam/queue.xml", "/data/applications"),
        ("darwin", {}, "/home/ann/Library/Application Support/digikam/queue.xml", None),
        ("win32", {"LOCALAPPDATA": "/ann/local"}, "/ann/local/digikam/queue.xml", None),
        ("win32", {}, "/home/ann/AppData/Local/digikam/queue.xml", None),
    ],
)
def test_each_system_has_its_places(system: str, environment: dict[str, str], workflows: str, menu: str | None) -> None:
    found = places(environment, system == "win32", system == "darwin", Path("/home/ann"))
    assert found.workflows == Path(workflows)
    assert found.menu == (None if menu is None else Path(menu))
    assert (found.script is not None) == (system == "win32")


def test_on_windows_the_workflow_goes_where_that_digikam_has_made_its_folder(tmp_path: Path) -> None:
    folders = {"LOCALAPPDATA": str(tmp_path / "Local"), "APPDATA": str(tmp_path / "Roaming")}
    (tmp_path / "Roaming/digikam").mkdir(parents=True)
    assert places(folders, True, False).workflows == tmp_path / "Roaming/digikam/queue.xml"
    (tmp_path / "Local/digikam").mkdir(parents=True)
    (tmp_path / "Local/digikam/queue.xml").touch()
    assert places(folders, True, False).workflows == tmp_path / "Local/digikam/queue.xml"


def test_the_workflow_joins_the_users_own_and_leaves_them_as_they_were(to: Places) -> None:
    to.workflows.parent.mkdir()
    to.workflows.write_text(THEIRS, encoding="utf-8")
    done = install(to, command=COMMAND, running=closed)
    assert not done.updated
    assert titles(to.workflows) == ['Für\'s Web & "mehr"', TITLE]
    assert THEIRS.split("</queuelist>")[0] in to.workflows.read_text(encoding="utf-8")
    uninstall(to, closed)
    assert to.workflows.read_text(encoding="utf-8") == THEIRS
    assert list(to.workflows.parent.iterdir()) == [to.workflows]


def test_what_was_not_there_before_is_not_there_afterwards(to: Places) -> None:
    install(to, command=COMMAND, running=closed)
    assert titles(to.workflows) == [TITLE]
    assert set(uninstall(to, closed)) == {to.workflows, (to.menu or Path()) / DESKTOP}
    assert not to.workflows.exists()
    assert not any(file.suffix == ".desktop" for file in (to.menu or Path()).iterdir())
    assert uninstall(to, closed) == ()


def test_a_list_that_digikam_left_empty_is_filled(to: Places) -> None:
    to.workflows.parent.mkdir()
    to.workflows.write_text('<!DOCTYPE XMLQueueList>\n<queuelist encoding="UTF-8" client="digikam" version="2.0"/>\n')
    install(to, command=COMMAND, running=closed)
    assert titles(to.workflows) == [TITLE]
    uninstall(to, closed)
    assert titles(to.workflows) == []


def test_an_update_replaces_its_own_and_keeps_the_confidence_that_was_chosen(to: Places) -> None:
    to.workflows.parent.mkdir()
    to.workflows.write_text(THEIRS, encoding="utf-8")
    install(to, command="/old/keywright-digikam", running=closed)
    text = to.workflows.read_text(encoding="utf-8")
    to.workflows.write_text(text.replace("--min-confidence 0.9", "--min-confidence 0.75"), encoding="utf-8")
    done = install(to, command=COMMAND, running=closed)
    assert done.updated
    assert titles(to.workflows) == ['Für\'s Web & "mehr"', TITLE]
    assert script(to.workflows).startswith(f"{COMMAND} queue --min-confidence 0.75 ")
    uninstall(to, closed)
    assert to.workflows.read_text(encoding="utf-8") == THEIRS


def test_while_digikam_is_open_nothing_is_written_and_one_sentence_says_so(to: Places) -> None:
    with pytest.raises(InstallError, match=r"digiKam is open .*; close it and try again"):
        install(to, command=COMMAND, running=lambda: True)
    assert not to.workflows.exists()
    assert to.menu is not None
    assert not to.menu.exists()
    install(to, command=COMMAND, running=closed)
    before = to.workflows.read_bytes()
    with pytest.raises(InstallError, match="digiKam is open"):
        uninstall(to, lambda: True)
    assert to.workflows.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<queuelist><queue></queuelist>", "cannot be read"),
        ("<other/>", "is not digiKam's list of workflows"),
        (THEIRS.replace("1600 px", "mine").replace("Für's Web &amp; &quot;mehr&quot;", TITLE), "not Keywright's"),
    ],
)
def test_a_list_that_is_not_understood_is_left_alone(to: Places, text: str, why: str) -> None:
    to.workflows.parent.mkdir()
    to.workflows.write_text(text, encoding="utf-8")
    with pytest.raises(InstallError, match=why):
        install(to, command=COMMAND, running=closed)
    assert to.workflows.read_text(encoding="utf-8") == text
    assert not (to.menu or Path()).exists()


def test_a_menu_entry_of_somebody_else_is_left_alone(to: Places) -> None:
    assert to.menu is not None
    to.menu.mkdir()
    (to.menu / DESKTOP).write_text("[Desktop Entry]\nName=Mine\n")
    with pytest.raises(InstallError, match="is not Keywright's"):
        install(to, command=COMMAND, running=closed)
    assert not to.workflows.exists()
    assert (to.menu / DESKTOP).read_text() == "[Desktop Entry]\nName=Mine\n"


def test_on_windows_the_workflow_calls_a_script_with_both_names_in_quotes(tmp_path: Path) -> None:
    to = Places(tmp_path / "queue.xml", None, tmp_path / "keywright/keywright-queue.cmd")
    install(to, command=r"C:\Program Files\100%\keywright-digikam.exe", running=closed)
    assert script(to.workflows) == f'@"{to.script}" $INPUT $OUTPUT --min-confidence 0.9'
    assert to.script is not None
    lines = to.script.read_text().splitlines()
    assert lines[-1] == r'"C:\Program Files\100%%\keywright-digikam.exe" queue %3 %4 -- %1 %2'
    uninstall(to, closed)
    assert not to.script.exists()


def test_the_menu_entry_is_valid(to: Places) -> None:
    validate = shutil.which("desktop-file-validate")
    if validate is None:
        pytest.skip("desktop-file-validate is not installed (Debian: desktop-file-utils)")
    install(to, command="/opt/Key wright's $x/keywright-digikam", running=closed)
    assert to.menu is not None
    done = subprocess.run([validate, str(to.menu / DESKTOP)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


HOSTILE = [
    "plain.jpg",
    "two words.jpg",
    "qu\"ote's.jpg",
    "$HOME`id`$(id).jpg",
    "per%cent %F.jpg",
    "-dash.jpg",
    "new\nline.jpg",
]


@pytest.mark.parametrize("folder", ["plain", "with space", "it's $HOME"])
def test_a_desktop_starts_it_once_with_all_photos_whatever_they_are_called(
    to: Places, tmp_path: Path, folder: str
) -> None:
    gio = shutil.which("gio")
    if gio is None:
        pytest.skip("gio is not installed (Debian: libglib2.0-bin)")
    program = tmp_path / folder / "keywright-digikam"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\nfor word in "$@"; do printf "%s\\0" "$word"; done > "$0.new"\nmv "$0.new" "$0.seen"\n'
    )
    program.chmod(0o755)
    photos = [tmp_path / name for name in HOSTILE]
    for photo in photos:
        photo.touch()
    install(to, command=str(program), running=closed)
    assert to.menu is not None
    subprocess.run([gio, "launch", str(to.menu / DESKTOP), *map(str, photos)], check=True, capture_output=True)
    seen = program.with_name("keywright-digikam.seen")
    for _ in range(200):  # gio does not wait for what it starts
        if seen.exists():
            break
        subprocess.run(["sleep", "0.05"], check=True)
    words = os.fsdecode(seen.read_bytes()).split("\0")[:-1]
    assert words == ["review", "--", *map(str, photos)]


def test_digikams_own_reading_of_the_entry_finds_the_program() -> None:
    """digiKam splits the line at spaces outside quotes, takes the quotes off, and knows no escapes."""
    assert exec_word(COMMAND) == COMMAND
    assert exec_word("/opt/key wright/keywright-digikam") == '"/opt/key wright/keywright-digikam"'


def test_the_front_ends_come_with_keywright() -> None:
    assert {file.name for file in source_folder().iterdir()} >= {DESKTOP, "workflow.xml", "keywright-queue.cmd"}
