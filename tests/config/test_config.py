"""The configuration: what a user wrote holds, and what cannot be is named."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from keywright.cli.app import keywright
from keywright.config import (
    Config,
    ConfigError,
    Files,
    Learning,
    Profile,
    Service,
    Suggest,
    Watch,
    config_file,
    load_config,
)
from keywright.keywords import KeywordPath

DOCS = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"


def written(home: Path, text: str, **environment: str) -> Config:
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text(text, encoding="utf-8")
    return load_config({"KEYWRIGHT_HOME": str(home), **environment})


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load_config({"KEYWRIGHT_HOME": str(tmp_path)}) == Config()


def test_the_file_follows_the_home(tmp_path: Path) -> None:
    assert config_file({"KEYWRIGHT_HOME": str(tmp_path)}) == tmp_path / "config.toml"
    assert config_file({}).name == "config.toml"


def test_the_environment_holds_over_the_file(tmp_path: Path) -> None:
    told = written(tmp_path, "[service]\nport = 1\nthreads = 5\n", KEYWRIGHT_SERVICE_PORT="2")
    assert (told.service.port, told.service.threads) == (2, 5)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[service]\nprot = 1\n", r"service\.prot.*host, port, threads"),
        ("[servcie]\nport = 1\n", r"servcie.*service, suggest, learning, files, watch, profiles"),
        ("[service]\nport = 'x'\n", r"service\.port"),
        ("[service]\nport = 70000\n", r"service\.port.*65535"),
        ("[suggest]\nmin_confidence = 1.5\n", r"suggest\.min_confidence"),
        ("[files]\ntimes = 'now'\n", r"files\.times.*touch.*keep"),
        ("[profiles.a]\ncolour = 1\n", r"profiles\.a\.colour.*under"),
        ("[profiles.a]\ntemplate = 'Suggested'\n", r"profiles\.a\.template.*\{keyword\}"),
        ("[profiles.a]\nunder = ['A||B']\n", r"profiles\.a\.under"),
        ("port = \n", "no TOML"),
        ("\x00", "no TOML"),
    ],
)
def test_what_cannot_be_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named) as caught:
        written(tmp_path, text)
    assert str(tmp_path / "config.toml") in str(caught.value)


def test_a_wrong_environment_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="KEYWRIGHT_SERVICE"):
        written(tmp_path, "", KEYWRIGHT_SERVICE_PORT="many")


def test_a_profile_takes_from_the_rest_what_it_does_not_say(tmp_path: Path) -> None:
    told = written(tmp_path, "[suggest]\nlimit = 3\nmin_confidence = 0.5\n[profiles.a]\nlimit = 7\n")
    assert (told.profile("a").limit, told.profile("a").min_confidence) == (7, 0.5)
    assert told.profile(None).limit == 3
    with pytest.raises(ConfigError, match="no profile 'b'; the configuration has a"):
        told.profile("b")


def test_a_profile_admits_its_part_of_the_tree() -> None:
    birds = Profile(under=("animals|Birds",), without=("Animals|Birds|Captive",))
    admitted = {t: birds.admits(KeywordPath.parse(t)) for t in ("Animals", "Animals|Birds", "Animals|Birds|Owl")}
    assert admitted == {"Animals": False, "Animals|Birds": True, "Animals|Birds|Owl": True}
    assert not birds.admits(KeywordPath.parse("Animals|Birds|Captive|Parrot"))


@pytest.mark.parametrize(
    ("template", "placed"),
    [(None, "A|B\\|C"), ("Suggested|{keyword}", "Suggested|A|B\\|C"), ("Subjects|{label}", "Subjects|B\\|C")],
)
def test_a_template_puts_a_keyword_in_its_place(template: str | None, placed: str) -> None:
    assert str(Profile(template=template).placed(KeywordPath.parse("A|B\\|C"))) == placed


def test_the_commands_show_what_holds_and_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYWRIGHT_HOME", str(tmp_path))
    written(tmp_path, "[profiles.a]\nlimit = 7\n")

    def told(*arguments: str) -> dict[str, object]:
        result = CliRunner().invoke(keywright, ["config", *arguments, "--json"])
        assert result.exit_code == 0
        found = json.loads(result.stdout)
        assert isinstance(found, dict)
        return found

    assert told("path") == {"path": str(tmp_path / "config.toml"), "exists": True}
    assert told("check")["profiles"] == ["a"]
    assert told("show", "--profile", "a")["limit"] == 7
    written(tmp_path, "[profiles.a]\nlimit = 7\n")
    (tmp_path / "config.toml").write_text("x = 1\n")
    assert CliRunner().invoke(keywright, ["config", "check"]).exit_code == 1


def test_the_docs_name_every_setting_with_what_it_is_for() -> None:
    named = re.findall(r"^\| `(\w+)` \| .* \| (.+) \|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    known = [
        (name, str(field.description).replace("|", "\\|"))
        for section in (Service, Suggest, Learning, Files, Watch, Profile)
        for name, field in section.model_fields.items()
    ]
    assert named == known


def test_the_docs_name_every_variable_of_the_environment() -> None:
    sources = [path for room in ("bridge", "plugin") for path in (DOCS.parents[1] / room).rglob("*.py")]
    read = {one for path in sources for one in re.findall(r'"(KEYWRIGHT_[A-Z_]+|HF_[A-Z_]+)"', path.read_text("utf-8"))}
    section = DOCS.read_text(encoding="utf-8").partition("## The environment")[2]
    assert "KEYWRIGHT_COMMAND" in read
    assert [name for name in sorted(read) if f"`{name}" not in section] == []
