"""`keywright install lightroom` puts the plug-in there whole, brings it up to date, and touches nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from keywright.cli.app import keywright
from keywright_plugin.lightroom_install import NAME, InstallError, install, modules_folder, plugin_source, uninstall
from lightroom.simulation.catalog import Catalog
from lightroom.simulation.lightroom import Lightroom


def test_each_system_has_its_modules_folder(tmp_path: Path) -> None:
    roaming = tmp_path / "Roaming"
    found = modules_folder(windows=True, macos=False, user=tmp_path, appdata=str(roaming))
    assert found == roaming / "Adobe" / "Lightroom" / "Modules"
    found = modules_folder(windows=False, macos=True, user=tmp_path)
    assert found == tmp_path / "Library" / "Application Support" / "Adobe" / "Lightroom" / "Modules"
    with pytest.raises(InstallError, match="--to"):
        modules_folder(windows=False, macos=False)


def test_an_installed_plug_in_is_whole_and_knows_its_bridge(tmp_path: Path, shared: Path) -> None:
    done = install(tmp_path / "Modules", command="/opt/keywright/bin/keywright")
    names = {p.name for p in done.folder.iterdir()}
    assert names == {p.name for p in plugin_source().iterdir()} | {"command.txt"}
    catalog = Catalog(shared / "catalogs/lightroom/real/alfanick.lrcat")
    catalog_lightroom = Lightroom(
        catalog, tmp_path, plugin=done.folder, environment={"KEYWRIGHT_HOME": str(tmp_path / "home")}
    )
    catalog_lightroom.choose("ReviewInBrowser.lua")
    assert "'/opt/keywright/bin/keywright' serve" in catalog_lightroom.commands[0]


def test_an_update_leaves_no_file_of_the_old_one(tmp_path: Path) -> None:
    install(tmp_path, command="x")
    (tmp_path / NAME / "Old.lua").write_text("return 1")
    assert install(tmp_path, command="x").updated
    assert not (tmp_path / NAME / "Old.lua").exists()
    assert [p.name for p in tmp_path.iterdir()] == [NAME]


def test_what_is_not_ours_is_neither_replaced_nor_removed(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / "Info.lua").write_text("return { LrToolkitIdentifier = 'somebody.else' }")
    for attempt in (install, uninstall):
        with pytest.raises(InstallError, match="not Keywright's"):
            attempt(tmp_path)
    assert (tmp_path / NAME / "Info.lua").read_text().startswith("return")


def test_the_command_installs_and_removes(tmp_path: Path) -> None:
    run = CliRunner()
    first = run.invoke(keywright, ["install", "lightroom", "--to", str(tmp_path), "--json"])
    assert json.loads(first.output) == {"folder": str(tmp_path / NAME), "updated": False}
    assert "updated" in run.invoke(keywright, ["install", "lightroom", "--to", str(tmp_path)]).output
    assert "removed" in run.invoke(keywright, ["uninstall", "lightroom", "--to", str(tmp_path)]).output
    assert "not installed" in run.invoke(keywright, ["uninstall", "lightroom", "--to", str(tmp_path)]).output
    assert list(tmp_path.iterdir()) == []
