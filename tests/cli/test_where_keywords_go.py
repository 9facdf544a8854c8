"""Whose rule says where keywords go: the option's, else the configuration's, on the commands, the pages and the API.

darktable reads ``IMG.JPG.xmp`` alone and Lightroom the JPEG alone: by the wrong rule a user would not see the keywords.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from keywright.cli.app import keywright
from keywright.config import load_config
from keywright.home import Home
from keywright.keywords import KeywordPath
from keywright.metadata import read_keywords
from keywright.operations.deciding import Decided, decide
from keywright.operations.workspace import Workspace
from keywright.store.decisions import Decision
from keywright.store.photos import list_photos
from pages.library import made_up_library
from service.kit import Raw, running

DOG = KeywordPath.of("Animals", "Dog")
OF_DARKTABLE = b"""<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:darktable="http://darktable.sf.net/" darktable:xmp_version="5"/>
</rdf:RDF></x:xmpmeta>
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KEYWRIGHT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def photo(tmp_path: Path, home: Path) -> Path:
    """A JPEG with a sidecar of darktable's, on which a keyword was accepted."""
    made_up_library(tmp_path / "photos", home, 1)
    with Workspace.open(Home(home)) as workspace:
        with workspace.store.read() as connection:
            (row,) = list_photos(connection)
        decide(workspace, [Decided(row.id, DOG, Decision.ACCEPTED)])
    row.path.with_name(row.path.name + ".xmp").write_bytes(OF_DARKTABLE)
    return row.path


def as_configured(home: Path, rule: str) -> None:
    (home / "config.toml").write_text(f'[files]\nsidecars = "{rule}"\n', encoding="utf-8")


def written(photo: Path, *options: str) -> set[str]:
    """The names of the files that ``keywright apply`` changed."""
    before = {path: path.read_bytes() for path in photo.parent.iterdir()}
    ran = CliRunner().invoke(keywright, ["apply", *options])
    assert ran.exit_code == 0, ran.output
    assert DOG in read_keywords(photo).keywords
    return {path.name for path in photo.parent.iterdir() if path.read_bytes() != before.get(path)}


def test_without_a_word_keywords_go_where_lightroom_reads_them(photo: Path) -> None:
    assert written(photo) == {photo.name}


def test_keywords_go_where_the_program_of_the_configuration_reads_them(photo: Path, home: Path) -> None:
    as_configured(home, "darktable")
    assert written(photo) == {f"{photo.name}.xmp"}


def test_the_option_holds_over_the_configuration(photo: Path, home: Path) -> None:
    as_configured(home, "darktable")
    assert written(photo, "--sidecars", "lightroom") == {photo.name}


def planned(raw: Raw, **asked: str) -> list[str]:
    job = raw.client.wait(raw.send("POST", "/v1/write-backs/plan", asked).json["id"])
    assert job.result is not None
    return [Path(one["where"]).name for one in job.result["writes"]]


def test_the_api_goes_by_the_configuration_unless_told(photo: Path, home: Path) -> None:
    as_configured(home, "darktable")
    with running(home, load_config()) as raw:
        assert planned(raw) == [f"{photo.name}.xmp"]
        assert planned(raw, sidecars="plain") == [f"{photo.name}.xmp"]
        assert planned(raw, sidecars="lightroom") == [photo.name]


@pytest.mark.parametrize("rule", ["lightroom", "darktable", "digikam", "plain"])
def test_the_apply_page_begins_with_the_rule_of_the_configuration(home: Path, rule: str) -> None:
    home.mkdir()
    as_configured(home, rule)
    with running(home, load_config()) as raw:
        page = raw.send("GET", "/apply").body.decode()
    assert page.count(" selected>") == 1
    assert f'<option value="{rule}" selected>' in page
