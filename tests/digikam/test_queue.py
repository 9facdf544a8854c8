"""A photo in digiKam's Batch Queue Manager: the script by real shells, the copy with its keywords, what goes wrong."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from demo.library import make_library

from digikam.hostile import hostile_names
from keywright.errors import KeywrightError
from keywright.home import Home
from keywright.keywords import KeywordPath
from keywright.metadata import read_keywords
from keywright.operations.learning import learn
from keywright.operations.registering import add_catalog
from keywright.operations.workspace import Workspace
from keywright.writeback.digikam_copy import write_copy
from keywright.writeback.digikam_settings import BOTH, MetadataSettings
from keywright_plugin import Client, find_bridge
from keywright_plugin.digikam_install import Places, install
from keywright_plugin.digikam_queue import keywords_for, split_names
from keywright_plugin.errors import BridgeError
from keywright_plugin.values import DecisionMade, PhotoRef
from writeback.kit import SEA, jpeg, raw

REAL = Path(sys.executable).with_name("keywright-digikam")


def shipped_script(folder: Path, command: Path) -> str:
    """The text that digiKam reads out of its list of workflows."""
    install(Places(folder / "queue.xml", None, None), command=str(command), running=lambda: False)
    (parameter,) = ET.parse(folder / "queue.xml").getroot().findall("queue/tool/parameter[@name='Script']")
    return parameter.get("value") or ""


def as_digikam_builds_it(script: str, photo: str, copy: str) -> str:
    """As UserScript::toolOperations of digiKam 7.9 does: both names put in as text, one after the other."""
    return script.replace("$INPUT", f'"{photo}"').replace("$OUTPUT", f'"{copy}"')


def run_queue(script: str, photo: Path, copy: Path, shell: str = "/bin/sh") -> subprocess.CompletedProcess[bytes]:
    copy.touch()  # digiKam makes the empty file before it calls the script
    text = as_digikam_builds_it(script, str(photo), str(copy))
    return subprocess.run([shell, "-c", text], check=False, capture_output=True, cwd=copy.parent, timeout=60)


@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])
def test_a_real_shell_hands_over_200_hostile_names_as_they_are(tmp_path: Path, shell: str) -> None:
    if not Path(shell).exists():
        pytest.skip(f"there is no {shell}")
    command = tmp_path / "it's $HOME" / "keywright-digikam"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\ncat > "{tmp_path}/seen"\nprintf "%s\\n" "$@" > "{tmp_path}/words"\n')
    command.chmod(0o755)
    script = shipped_script(tmp_path, command)
    work = tmp_path / "work"
    work.mkdir()
    names = hostile_names(200, str(tmp_path / "canary"))
    assert len(names) == 200
    for name, album in zip(names, reversed(names), strict=True):
        photo, copy = f"{work}/{album}/{name}", f"{work}/{album}/BatchTool-kVZxsd-1f3a.digikamtempfile.jpg"
        text = as_digikam_builds_it(script, photo, copy)
        done = subprocess.run([shell, "-c", text], check=False, capture_output=True, cwd=work)
        assert (done.returncode, done.stderr) == (0, b""), name
        words = (tmp_path / "words").read_text().splitlines()
        assert words[:4] == ["queue", "--min-confidence", "0.9", "--between"]
        assert split_names(os.fsdecode((tmp_path / "seen").read_bytes()), words[4]) == (photo, copy)
    assert list(work.iterdir()) == []
    assert not (tmp_path / "canary").exists()


def test_text_that_digikam_did_not_make_is_refused() -> None:
    for text in ("", '"a"\n"b"\n', "a\nmark\nb\n", '"a"\nmark\n"b"'):
        with pytest.raises(ValueError, match="has not put the names"):
            split_names(text, "mark")


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("queue")
    make_library(top / "library")
    with Workspace.open(Home(top / "home")) as workspace:
        add_catalog(workspace, str(top / "library"), {})
        learn(workspace, [str(top / "library")])
    return top


@pytest.fixture
def home(learned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home that has learned the sample library, for commands that are run; its bridge ends with the test."""
    shutil.copytree(learned / "home", tmp_path / "home")
    monkeypatch.setenv("KEYWRIGHT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    yield tmp_path / "home"
    found = find_bridge(tmp_path / "home")
    if found is not None:
        Client(found[0]).shut_down()


def bare_photo(library: Path) -> Path:
    """A coffee that nobody has given keywords."""
    return library / "2023/At home/COFF_0008.jpg"


@pytest.mark.slow
def test_the_copy_gets_what_is_sure_or_accepted_and_the_photo_stays_as_it_is(
    home: Path, learned: Path, tmp_path: Path
) -> None:
    assert REAL.exists()
    script = shipped_script(tmp_path, REAL)
    photo = bare_photo(learned / "library")
    before = photo.read_bytes()
    with_client = Client.open(home)
    (known,) = with_client.find_photos([PhotoRef(path=str(photo))])
    assert not isinstance(known, str)
    with_client.decide([DecisionMade(known.id, "Mornings|Quiet", "accepted")])
    copy = tmp_path / "BatchTool-1.digikamtempfile.jpg"
    done = run_queue(script.replace("0.9", "0.5"), photo, copy)
    assert done.returncode == 0, done.stderr
    assert {"Food|Coffee", "Mornings|Quiet"} <= {str(k) for k in read_keywords(copy).keywords}
    assert photo.read_bytes() == before
    with_client.decide([DecisionMade(known.id, "Food|Coffee", "rejected")])
    run_queue(script.replace("0.9", "0.5"), photo, copy)
    assert {str(k) for k in read_keywords(copy).keywords} == {"Mornings|Quiet"}


@pytest.mark.slow
def test_files_the_bridge_does_not_know_are_looked_at_and_nothing_of_them_is_kept(
    home: Path, learned: Path, tmp_path: Path
) -> None:
    script = shipped_script(tmp_path, REAL).replace("0.9", "0.5")
    work = tmp_path / "work"
    work.mkdir()
    store = sorted(file.name for file in home.iterdir())
    for number, name in enumerate(["qu\"o$(id)`te\n's.jpg", "-$OUTPUT $INPUT.jpg"]):
        photo = work / name
        shutil.copyfile(bare_photo(learned / "library"), photo)
        copy = work / f"BatchTool-{number}.digikamtempfile.jpg"
        done = run_queue(script, photo, copy)
        assert done.returncode == 0, done.stderr
        assert "Food|Coffee" in {str(k) for k in read_keywords(copy).keywords}
    assert len(list(work.iterdir())) == 4, "two photos and their copies"
    from keywright.store.photos import list_photos

    with Workspace.open(Home(home)) as workspace, workspace.store.read() as connection:
        assert not [row for row in list_photos(connection) if work in row.path.parents]
    assert set(store) <= {file.name for file in home.iterdir()}


@pytest.mark.slow
@pytest.mark.usefixtures("home")
def test_where_nothing_can_be_said_there_is_no_output_and_one_sentence(tmp_path: Path) -> None:
    script = shipped_script(tmp_path, REAL)
    broken, copy = tmp_path / "broken.jpg", tmp_path / "BatchTool-1.digikamtempfile.jpg"
    broken.write_bytes(b"no picture")
    done = run_queue(script, broken, copy)
    assert done.returncode == 1
    assert done.stderr.decode().startswith("keywright-digikam: ")
    assert len(done.stderr.splitlines()) == 1
    assert copy.read_bytes() == b"", "digiKam takes an empty file for a failure"


def test_a_program_that_is_gone_is_told_digikam_by_the_shells_own_status(tmp_path: Path) -> None:
    copy = tmp_path / "out.jpg"
    done = run_queue(shipped_script(tmp_path, tmp_path / "gone"), jpeg(tmp_path / "in.jpg"), copy)
    assert done.returncode == 127, "digiKam says: Command not found"
    assert copy.read_bytes() == b""


def test_what_takes_no_keywords_inside_gets_a_sidecar_that_digikam_moves_along(tmp_path: Path) -> None:
    photo, copy = raw(tmp_path / "IMG.nef"), tmp_path / "BatchTool-1.digikamtempfile.nef"
    before = photo.read_bytes()
    write_copy(photo, copy, [SEA], MetadataSettings())
    assert copy.read_bytes() == before == photo.read_bytes()
    assert read_keywords(copy).keywords == {SEA}
    assert {file.name for file in tmp_path.iterdir()} == {photo.name, copy.name, copy.name + ".xmp"}


def test_the_photos_own_sidecar_goes_along_with_what_it_holds(tmp_path: Path) -> None:
    photo, copy = raw(tmp_path / "IMG.nef"), tmp_path / "out.nef"
    write_copy(photo, tmp_path / "first.nef", [KeywordPath.of("Home")], MetadataSettings())
    (tmp_path / "first.nef.xmp").rename(tmp_path / "IMG.nef.xmp")
    write_copy(photo, copy, [SEA], MetadataSettings())
    assert read_keywords(copy).keywords == {SEA, KeywordPath.of("Home")}


def test_digikams_settings_hold_for_the_copy(tmp_path: Path) -> None:
    photo, copy = jpeg(tmp_path / "IMG.jpg"), tmp_path / "out.jpg"
    write_copy(photo, copy, [SEA], MetadataSettings(mode=BOTH, short_names=True))
    assert {file.name for file in tmp_path.iterdir()} == {"IMG.jpg", "out.jpg", "out.xmp"}


def test_a_photo_without_keywords_to_write_is_copied_byte_for_byte(tmp_path: Path) -> None:
    photo, copy = jpeg(tmp_path / "IMG.jpg"), tmp_path / "out.jpg"
    write_copy(photo, copy, [], MetadataSettings())
    assert copy.read_bytes() == photo.read_bytes()


def test_nothing_is_put_there_once_digikam_has_given_up(tmp_path: Path) -> None:
    photo, copy = jpeg(tmp_path / "IMG.jpg"), tmp_path / "out.jpg"
    copy.touch()
    with pytest.raises(KeywrightError, match="not ready in time"):
        write_copy(photo, copy, [SEA], MetadataSettings(), in_time=lambda: False)
    assert copy.read_bytes() == b""
    assert {file.name for file in tmp_path.iterdir()} == {"IMG.jpg", "out.jpg"}


def test_a_full_or_forbidden_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(KeywrightError, match="cannot be written to"):
        write_copy(jpeg(tmp_path / "IMG.jpg"), tmp_path / "gone" / "out.jpg", [SEA], MetadataSettings())


def test_a_bridge_too_busy_is_given_up_before_digikam_gives_up(home: Path, learned: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    with Workspace.open(Home(home)) as workspace:
        shutil.copyfile(bare_photo(learned / "library"), folder / "seen.jpg")
        add_catalog(workspace, str(folder), {})
    photo = jpeg(folder / "new.jpg")
    with pytest.raises(BridgeError, match="too busy to look at"):
        keywords_for(Client.open(home), str(photo), 0.9, until=0.0)
