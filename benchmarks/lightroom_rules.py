"""Break each rule that Lightroom sets a plug-in or a reader of its catalogs, one after the other, and see a test fail.

    python -m benchmarks.lightroom_rules [--only WORDS] [--write docs/lightroom.md]

Each break is a small change to a copy of the sources; the tests named with it run on that copy, and must fail. The
table says which test saw it. The command fails where a break goes unseen, or no longer fits the sources. Needs the
real catalogs at ../shared.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLUGIN = "lightroom-lua/Keywright.lrplugin/"
READER = "bridge/keywright/catalogs/"
COPIED = ("bridge", "plugin", "tests", "lightroom-lua", "demo", "docs", "pyproject.toml", ".luacheckrc", "stylua.toml")
TABLE = re.compile(r"(<!-- rules: begin -->\n).*(<!-- rules: end -->)", re.DOTALL)
SECONDS = 400

RULES = "tests/lightroom/test_rules_the_plugin_keeps.py"
BRIDGE = "tests/lightroom/test_the_bridge_from_lightroom.py"
PURE = "tests/lightroom/test_pure_modules.py"
STACKS = "tests/lightroom/test_stacks_and_copies.py"
WHOLE = "tests/lightroom/test_suggesting_end_to_end.py"
CATALOG = "tests/catalogs/test_lightroom.py"
UNTOUCHED = "tests/catalogs/test_untouched.py"


@dataclass(frozen=True, slots=True)
class Break:
    """A rule, and the change that breaks it: ``old`` (once in ``file``) becomes ``new``; ``tests`` must see it."""

    rule: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


def lua(rule: str, file: str, old: str, new: str, *tests: str) -> Break:
    return Break(rule, f"{PLUGIN}{file}.lua", old, new, tests)


def reader(rule: str, old: str, new: str, *tests: str, file: str = "lightroom") -> Break:
    return Break(rule, f"{READER}{file}.py", old, new, tests or (CATALOG,))


BREAKS = (
    lua(
        "A second create of one keyword in a gate gives false: handles are cached",
        "Writer",
        "local made = cache[place]",
        "local made = nil",
        RULES,
    ),
    lua(
        "A false handle is never the next parent: that path is given up",
        "Writer",
        "    if not made then\n      return nil\n    end\n    parent = made",
        "    parent = made",
        RULES,
    ),
    lua(
        "No stray keyword at the top level",
        "Keywords",
        "if not parent and not new_tops then",
        "if false then",
        RULES,
    ),
    lua(
        "Siblings are one whatever their case",
        "Keywords",
        '  local low = string.lower(name)\n  return (string.gsub(low, "[\\195\\196\\206\\208][\\128-\\191]", PAIRS))',
        "  return name",
        RULES,
    ),
    lua(
        "A keyword is had by its id before its name",
        "Writer",
        "ids[one.keyword] = one.id or ids[one.keyword]",
        "ids[one.keyword] = nil",
        f"{STACKS} -k bridges_id_finds",
    ),
    lua(
        "An id whose keyword is another by now is not believed",
        "Keywords",
        "if known_id and same_path(index, known_id, levels) then",
        "if known_id then",
        RULES,
        f"{STACKS} -k by_now",
    ),
    lua(
        "One write is one undo step",
        "Writer",
        "    local found\n    local done = Writer.gate(title, function()",
        "    local found\n    Writer.gate(title, function()\n      for _, one in ipairs(plan.creates) do\n"
        "        make(catalog, one, handles, {})\n      end\n    end)\n    local done = Writer.gate(title, function()",
        RULES,
    ),
    lua(
        "Gates do not nest",
        "Writer",
        "          link.photo:addKeyword(keyword)\n",
        "          Writer.gate(title, function()\n            link.photo:addKeyword(keyword)\n          end)\n",
        RULES,
    ),
    lua(
        "A gate asks for write access with a timeout, or contention throws",
        "Writer",
        "      timeout = TIMEOUT,\n",
        "",
        RULES,
    ),
    lua(
        "A gate's answer is looked at: executed, queued or aborted",
        "Writer",
        "    elseif done then\n      return true\n    end",
        "    else\n      return true\n    end",
        RULES,
    ),
    lua(
        "A queued gate is waited for, not begun a second time",
        "Writer",
        'while result == "queued" and not (done or lost or problem) do',
        "while false do",
        RULES,
    ),
    lua(
        "An error inside a gate leaves it, so that it rolls back",
        "Writer",
        "        error(why, 0) -- the gate rolls back only when the error leaves it\n",
        "",
        RULES,
    ),
    lua(
        "What a gate makes is not read in it",
        "Writer",
        "      cache[place] = made or false\n",
        "      cache[place] = made and made:getName() and made or false\n",
        RULES,
    ),
    lua(
        "Plain pcall may not be crossed by a yield: LrTasks.pcall",
        "Writer",
        "local ok, why = LrTasks.pcall(fn)",
        "local ok, why = pcall(fn)",
        RULES,
    ),
    lua(
        "Names are read before anything is sorted",
        "SuggestKeywords",
        "    names[i] = keyword:getName()\n  end\n  table.sort(names)",
        "    names[i] = keyword\n  end\n"
        "  table.sort(names, function(a, b)\n    return a:getName() < b:getName()\n  end)",
        f"{WHOLE} -k already_have",
    ),
    lua(
        "Calls of the SDK stand in a task",
        "Task",
        "LrFunctionContext.postAsyncTaskWithContext(title, function(context)",
        "LrFunctionContext.callWithContext(title, function(context)",
        BRIDGE,
    ),
    lua(
        "Only metadata keys that Lightroom knows: one unknown fails the call",
        "Writer",
        'catalog:batchGetRawMetadata(photos, { "keywords" })',
        'catalog:batchGetRawMetadata(photos, { "keywords", "keywordIds" })',
        RULES,
    ),
    lua(
        "Metadata in one call for many photos, not photo by photo",
        "Writer",
        'for photo, row in pairs(catalog:batchGetRawMetadata(photos, { "keywords" })) do',
        "local rows = {}\n  for _, photo in ipairs(photos) do\n"
        '    rows[photo] = { keywords = photo:getRawMetadata("keywords") }\n  end\n  for photo, row in pairs(rows) do',
        RULES,
    ),
    lua(
        "Nothing selected means the whole filmstrip: ask first",
        "Session",
        "if catalog:getTargetPhoto() == nil then",
        "if false then",
        f"{WHOLE} -k nothing_selected",
    ),
    lua(
        "A Content-Type is said, or Lightroom says text/plain",
        "Request",
        '(request.body and "application/json") or "skip"',
        '(request.body and "text/plain") or "skip"',
        f"{WHOLE} -k 200_photos",
    ),
    lua(
        "PUT goes through LrHttp.post's method",
        "Bridge",
        "headers, request.method, request.timeout)",
        'headers, "POST", request.timeout)',
        f"{WHOLE} -k virtual_copy",
    ),
    lua(
        "A failed request has no body: its error code says why",
        "Request",
        'if code == "timedOut" then',
        'if code == "never" then',
        PURE,
    ),
    lua(
        "The thumbnail's request is kept until the callback",
        "Session",
        "  asked[mine] = photo:requestJpegThumbnail(",
        "  photo:requestJpegThumbnail(",
        RULES,
    ),
    lua(
        "A callback that comes twice counts once",
        "Session",
        "    if not answered then\n      jpeg, answered = data, true\n    end",
        "    jpeg, answered = data, true",
        RULES,
    ),
    lua(
        "A thumbnail that never comes has a deadline",
        "Session",
        "local THUMBNAIL_SECONDS = 10",
        "local THUMBNAIL_SECONDS = 60",
        RULES,
    ),
    lua(
        "A thumbnail's callback does not yield",
        "Session",
        "      jpeg, answered = data, true\n",
        "      LrTasks.sleep(0.01)\n      jpeg, answered = data, true\n",
        RULES,
    ),
    lua("A dialog has few rows: pages", "Review", "Review.ROWS = 24", "Review.ROWS = 400", PURE),
    lua(
        "The progress bar is made in a function context",
        "Task",
        "LrProgressScope({ title = title, functionContext = context })",
        "LrProgressScope({ title = title })",
        BRIDGE,
    ),
    lua("Cancel is honoured", "Task", "  if progress:isCanceled() then\n", "  if false then\n", RULES),
    lua(
        "Cancel is heard while the bridge works",
        "Session",
        "Bridge.ask(bridge, Request.catalogs(), progress).catalogs",
        "Bridge.ask(bridge, Request.catalogs()).catalogs",
        f"{BRIDGE} -k cancel_is_heard",
    ),
    lua(
        "A program is started in the background: LrTasks.execute waits",
        "Bridge",
        'serve >/dev/null 2>&1 &")',
        'serve >/dev/null 2>&1")',
        BRIDGE,
    ),
    lua(
        "On Windows through a .bat with start /b",
        "Bridge",
        '@start "" /b "',
        '@"',
        BRIDGE,
    ),
    lua(
        "No custom metadata fields",
        "Info",
        '  LrPluginInfoProvider = "SettingsPage.lua",\n',
        '  LrPluginInfoProvider = "SettingsPage.lua",\n  LrMetadataProvider = "Fields.lua",\n',
        BRIDGE,
    ),
    lua("SDK 6.0 is enough", "Info", "LrSdkMinimumVersion = 6.0", "LrSdkMinimumVersion = 10.0", BRIDGE),
    lua(
        "Info.lua runs in a restricted environment",
        "Info",
        "local VERSION =",
        'local LrApplication = import("LrApplication") -- luacheck: ignore\nlocal VERSION =',
        BRIDGE,
    ),
    lua(
        "Lua 5.1 has no goto and no //",
        "Similar",
        "  local best, found = {}, {}\n",
        "  local best, found = {}, {} goto x ::x::\n",
        PURE,
    ),
    lua(
        "require takes bare names of the plug-in's own files",
        "Bridge",
        'require("Json")',
        'require("lib.Json")',
        BRIDGE,
    ),
    lua(
        "Nothing is written beside photos",
        "Writer",
        "local Keywords =",
        "-- photo:saveMetadata()\nlocal Keywords =",
        RULES,
    ),
    lua(
        "What was rejected is not written",
        "SuggestKeywords",
        'if one.decision == "accepted" then',
        "if one.decision then",
        f"{WHOLE} -k unticked",
    ),
    lua(
        "Undo spares what the person gave",
        "UndoBatch",
        "      links[#links + 1] = { photo = found[one.uuid], id = one.id }\n",
        "      for _, keyword in ipairs(found[one.uuid]:getRawMetadata('keywords')) do\n"
        "        links[#links + 1] = { photo = found[one.uuid], id = keyword.localIdentifier }\n      end\n",
        f"{WHOLE} -k spares",
    ),
    lua(
        "A virtual copy is shown to the bridge as developed",
        "Session",
        'if Settings.get("thumbnails") or entry.copy then',
        'if Settings.get("thumbnails") then',
        f"{WHOLE} -k virtual_copy",
    ),
    lua(
        "A virtual copy is found by its uuid, not by its master's path",
        "FindSimilar",
        "catalog:findPhotoByUuid(one.host_id) or catalog:findPhotoByPath(one.path)",
        "catalog:findPhotoByPath(one.path)",
        f"{STACKS} -k copy",
    ),
    reader("A path is root, folder and file name", '"/") + "/" + path', '"/") + "/"'),
    reader("The tree is walked by parent", "parent if parent in there else None)", "None)"),
    reader("The root keyword may be missing", "parent if parent in there else None)", "parent)"),
    reader("masterImage marks a virtual copy", "i.masterImage IS NOT NULL", "i.masterImage = -1"),
    reader("pick -1 is a rejected photo", "CAST(i.pick AS REAL) < 0", "CAST(i.pick AS REAL) < -5"),
    reader("keywordType 'person' is no keyword to learn", 'if kind == "person")', 'if kind == "nobody")'),
    reader(
        "keywordType is absent in old catalogs",
        '"keywordType" if "keywordtype" in self._rows.columns("AgLibraryKeyword") else "NULL"',
        '"keywordType"',
    ),
    reader("includeOnExport 0 is private", "WHERE includeOnExport = 0", "WHERE includeOnExport = 7"),
    reader("Synonyms come from their table", "synonyms.setdefault(keyword, []).append(str(name))", "pass"),
    reader("Adobe_DBVersion is text: 1504001 is version 15", "int(str(value)) // 100_000", "int(str(value)) // 10_000"),
    reader("A catalog from elsewhere needs its roots mapped", "self._roots.folder(top) or", "None or"),
    reader("Videos are marked by fileFormat", "i.fileFormat = 'VIDEO'", "i.fileFormat = 'MOVIE'"),
)


def seen_by(change: Break, sources: Path) -> str | None:
    """The test that fails on the broken sources; None where none does. Raises ``ValueError`` where it does not fit."""
    file = sources / change.file
    text = file.read_text(encoding="utf-8")
    if text.count(change.old) != 1:
        raise ValueError(f"{change.file} holds {change.old!r} {text.count(change.old)} times")
    file.write_text(text.replace(change.old, change.new), encoding="utf-8")
    try:
        for tests in change.tests:
            named, _, chosen = tests.partition(" -k ")
            command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", named]
            command += ["-k", chosen] if chosen else []
            found = _failed(command, sources)
            if found:
                return found
        return None
    finally:
        file.write_text(text, encoding="utf-8")


def _failed(command: Sequence[str], sources: Path) -> str | None:
    paths = os.pathsep.join(str(sources / part) for part in ("bridge", "plugin", "tests", "."))
    environment = os.environ | {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=sources, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return "it never ends"
    if done.returncode == 5:
        raise ValueError(f"{command[-1]} chooses no test")
    found = re.search(r"^(?:FAILED|ERROR) \S+?(?:::(\w+))?(?:\[.*\])?(?: - .*)?$", done.stdout, re.MULTILINE)
    if done.returncode not in (0, 1, 2) or (done.returncode and not found):
        raise ValueError(done.stdout[-500:] + done.stderr[-500:])
    return (found.group(1) or "the test file") if found else None


def copy_sources(to: Path) -> Path:
    """What the tests need, in a folder beside which the real catalogs are found as beside the project."""
    sources = to / "main"
    leave = shutil.ignore_patterns("__pycache__", "*.pyc", "node_modules", ".cache")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, sources / name, ignore=leave)
        else:
            shutil.copy(ROOT / name, sources / name)
    (to / "shared").symlink_to((ROOT.parent / "shared").resolve(), target_is_directory=True)
    return sources


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", default="", help="only rules that hold these words")
    parser.add_argument("--write", type=Path, help="put the table into this page, between its marks")
    options = parser.parse_args(arguments)
    rows, unseen = [], 0
    with tempfile.TemporaryDirectory(prefix="keywright-rules-") as folder:
        sources = copy_sources(Path(folder))
        for change in BREAKS:
            if options.only.lower() not in change.rule.lower():
                continue
            try:
                test = seen_by(change, sources)
            except ValueError as error:
                test, unseen = f"CANNOT BE TRIED: {error}", unseen + 1
            if test is None:
                test, unseen = "NOT SEEN", unseen + 1
            rows.append(f"| {change.rule} | `{test}` |")
            print(rows[-1], flush=True)
    table = "\n".join(["| rule | the test that fails when it is broken |", "| --- | --- |", *rows]) + "\n"
    if options.write:
        page = options.write.read_text(encoding="utf-8")
        options.write.write_text(TABLE.sub(lambda m: m[1] + table + m[2], page), encoding="utf-8")
    print(f"{len(rows)} rules broken, {unseen} not seen.")
    return 1 if unseen else 0


if __name__ == "__main__":
    sys.exit(main())
