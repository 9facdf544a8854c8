"""The rules that Lightroom sets a plug-in or a reader of its catalogs, each with the change that breaks it.

``lightroom_rules`` makes these changes, one after the other, and sees a test fail.
"""

from __future__ import annotations

from dataclasses import dataclass

PLUGIN = "lightroom-lua/Keywright.lrplugin/"
READER = "bridge/keywright/catalogs/"

RULES = "tests/lightroom/test_rules_the_plugin_keeps.py"
BRIDGE = "tests/lightroom/test_the_bridge_from_lightroom.py"
PURE = "tests/lightroom/test_pure_modules.py"
STACKS = "tests/lightroom/test_stacks_and_copies.py"
WRONG = "tests/lightroom/test_wrong_keywords.py"
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
        "Handles",
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
        "Handles",
        'catalog:batchGetRawMetadata(photos, { "keywords" })',
        'catalog:batchGetRawMetadata(photos, { "keywords", "keywordIds" })',
        RULES,
    ),
    lua(
        "Metadata in one call for many photos, not photo by photo",
        "Handles",
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
        "      here[#here + 1] = { photo = found[one.uuid], id = one.id }\n",
        "      for _, keyword in ipairs(found[one.uuid]:getRawMetadata('keywords')) do\n"
        "        here[#here + 1] = { photo = found[one.uuid], id = keyword.localIdentifier }\n      end\n",
        f"{WHOLE} -k spares",
    ),
    lua(
        "What was called wrong is told before it is taken off",
        "ApplyAccepted",
        "  if #off == 0 then\n",
        "  if true then\n",
        f"{WRONG} -k person_says_no",
    ),
    lua(
        "Undo puts back what was taken off",
        "UndoBatch",
        "in_catalog(catalog, was_taken, found)",
        "{}",
        f"{WRONG} -k puts_back",
    ),
    lua(
        "A virtual copy loses its own keywords, not its master's",
        "ApplyAccepted",
        "catalog:findPhotoByUuid(one.host_id)",
        "catalog:findPhotoByPath(one.path)",
        f"{WRONG} -k copy",
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
