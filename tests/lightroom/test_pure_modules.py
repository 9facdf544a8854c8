"""The plug-in's decisions, outside Lightroom: JSON, the proof, keyword planning, what a person's ticks mean."""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import re
import shutil
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lupa import lua51

from keywright.keywords import KeywordPath
from lightroom.simulation.lightroom import PLUGIN, raw, text, translations

PURE = ["Json", "Keywords", "Request", "Review", "Sha256", "Similar", "Wrong"]
ROOT = PLUGIN.parents[1]
SIMULATION = Path(__file__).with_name("simulation")
LUA = ("lightroom-lua", "tests/lightroom/simulation")


@pytest.fixture(scope="module")
def lua() -> Any:
    """A bare Lua 5.1 with nothing of Lightroom in it: `import` does not exist."""
    runtime = lua51.LuaRuntime(encoding="latin-1", unpack_returned_tuples=True)
    runtime.execute(f"package.path = '{PLUGIN}/?.lua'")
    return runtime


@pytest.mark.parametrize("name", PURE)
def test_a_pure_module_imports_nothing_of_lightroom(lua: Any, name: str) -> None:
    source = (PLUGIN / f"{name}.lua").read_text()
    assert "import(" not in source
    assert "LOC(" not in source
    assert lua.eval(f"require('{name}')") is not None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


def close(a: object, b: object) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(close(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(close(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, float) and isinstance(b, float | int):
        return math.isclose(a, b, rel_tol=1e-15)
    return type(a) is type(b) and a == b if not isinstance(b, float) else a == b


@given(value=JSON)
def test_json_comes_back_as_it_went(lua: Any, value: object) -> None:
    both = lua.eval("function(t) local J = require('Json') return J.encode((J.decode(t))) end")
    for ascii_only in (True, False):
        told = both(raw(json.dumps(value, ensure_ascii=ascii_only)))
        back = json.loads(text(told))
        assert close(value, back) or back == value or (value == {} and back == {})


@given(junk=st.text(alphabet='{}[]",:\\u0123eE+-. \ntruefalsn"', max_size=30))
def test_what_is_no_json_is_refused_as_python_refuses_it(lua: Any, junk: str) -> None:
    decode = lua.eval("function(t) local v, why = require('Json').decode(t) return v == nil, why end")
    try:
        json.loads(junk, parse_constant=lambda _: 1 / 0)
        wrong = False
    except (ValueError, ZeroDivisionError):
        wrong = True
    assert decode(raw(junk))[0] == wrong


def test_json_nested_like_a_bomb_is_refused_and_not_a_crash(lua: Any) -> None:
    decode = lua.eval("function(t) return require('Json').decode(t) end")
    assert "deep" in decode("[" * 100000)[1]


@given(key=st.binary(max_size=100), data=st.binary(max_size=200))
def test_the_proof_is_hmac_sha256(lua: Any, key: bytes, data: bytes) -> None:
    ours = lua.eval("require('Sha256').hmac")(key.decode("latin-1"), data.decode("latin-1"))
    assert ours == hmac.new(key, data, hashlib.sha256).hexdigest()


NAMES = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=8).filter(lambda s: s.strip())


@given(names=st.lists(NAMES, min_size=1, max_size=4))
def test_keyword_paths_are_read_as_the_bridge_writes_them(lua: Any, names: list[str]) -> None:
    path = KeywordPath.of(*names)
    levels = lua.eval("require('Keywords').levels")(raw(str(path)))
    assert tuple(text(v) for v in levels.values()) == path.parts
    assert text(
        lua.eval("function(t) local K = require('Keywords') return K.text(K.levels(t)) end")(raw(str(path)))
    ) == (str(path))


TREE = """
local K = require('Keywords')
local index = K.index({
  {id = 1, name = 'Animals'}, {id = 2, name = 'Dog', parent = 1}, {id = 3, name = 'Places'},
  {id = 4, name = 'Österreich', parent = 3}, {id = 5, name = 'Dog'},
})
"""


@pytest.mark.parametrize(
    ("call", "gives"),
    [
        ("K.find(index, 'Animals|Dog').id", 2),
        ("K.find(index, 'animals|DOG').id", 2),
        ("K.find(index, 'Places|ÖSTERREICH').id", 4),
        ("K.find(index, 'Dog').id", 5),
        ("K.find(index, 'Animals|Cat').parent", 1),
        ("K.find(index, 'Animals|Cat').create[1]", "Cat"),
        ("K.find(index, 'Food')", None),
        ("K.find(index, 'Food|Pizza')", None),
        ("K.find(index, 'Food|Pizza', nil, true).create[2]", "Pizza"),
        ("K.find(index, 'Animals|a,b')", None),
        ("K.find(index, 'Animals|Dog', 5).id", 2),  # an id that is another keyword by now is not believed
        ("K.find(index, 'Dog', 5).id", 5),
    ],
)
def test_a_keyword_is_found_or_made_only_below_what_is_there(lua: Any, call: str, gives: object) -> None:
    got = lua.execute(raw(TREE + "return " + call))
    assert (got[0] if isinstance(got, tuple) else got) == gives


LETTERS = [
    chr(code)
    for first, last in ((0x41, 0x17F), (0x1CD, 0x21F), (0x386, 0x3CE), (0x400, 0x556), (0x1E00, 0x1EFF))
    for code in range(first, last + 1)
    if chr(code).isalpha()
]


def test_a_letter_and_its_capital_are_one_from_vietnam_to_iceland_and_no_two_others_are(lua: Any) -> None:
    fold = lua.eval("require('Keywords').folded")
    apart = [
        c for c in LETTERS if len(c.lower()) == 1 and c.lower().upper() == c and fold(raw(c)) != fold(raw(c.lower()))
    ]
    rare = set("ǱǲǄǅǇǈǊǋǶǷẞ")  # one sign for two letters, and signs that no keyboard has
    assert set(apart) <= rare
    casefolded = {c: c.casefold() for c in LETTERS if len(c.casefold()) == 1}
    assert [
        (a, b)
        for a, b in combinations(casefolded, 2)
        if casefolded[a] != casefolded[b] and fold(raw(a)) == fold(raw(b))
    ] == []


@pytest.mark.parametrize(
    ("kept", "told"), [("ŁÓDŹ", "Łódź"), ("ŽENA", "žena"), ("Brașov", "BRAȘOV"), ("ΟΔΟΣ", "Οδος"), ("Őr", "őR")]
)
def test_a_keyword_in_another_case_is_found_and_its_number_believed(lua: Any, kept: str, told: str) -> None:
    alone, both = f"{{id = 7, name = '{kept}'}}", f"{{id = 7, name = '{kept}'}}, {{id = 8, name = '{told}'}}"
    find = f"local K = require('Keywords') return K.find(K.index({{%s}}), '{told}', %s).id"
    assert lua.execute(raw(find % (alone, "nil"))) == 7
    assert lua.execute(raw(find % (both, "8"))) == 8


def test_what_looks_like_another_case_and_is_another_letter_stays_apart(lua: Any) -> None:
    fold = lua.eval("require('Keywords').folded")
    apart = ["İ", "ı", "i", "ŉ", "n", "ĸ", "k", "ſ", "s"]
    assert len({fold(raw(c)) for c in apart}) == len(apart)


def test_a_plan_links_once_creates_once_and_leaves_what_is_there(lua: Any) -> None:
    got = lua.execute(
        TREE
        + """
    local plan = K.plan(index, {
      {photo = 'a', keyword = 'Animals|Cat'}, {photo = 'b', keyword = 'Animals|Cat'},
      {photo = 'a', keyword = 'Animals|Cat'}, {photo = 'a', keyword = 'Animals|Dog'},
      {photo = 'b', keyword = 'Food|Pizza'}}, {a = {[2] = true}})
    return #plan.links, #plan.creates, #plan.there, #plan.skipped, plan.skipped[1].why"""
    )
    assert got == (2, 1, 1, 1, "no top")


REVIEW = """
local R = require('Review')
local review = R.new({
  {id = 1, suggestions = {{keyword = 'A|x', confidence = 0.9}, {keyword = 'B', confidence = 0.4}}},
  {id = 2, suggestions = {{keyword = 'A|x', confidence = 0.5}}},
}, 0.6)
"""


def decisions(lua: Any, code: str) -> set[tuple[int, str, str]]:
    found = lua.execute(REVIEW + code)
    return {(d["photo"], d["keyword"], d["decision"]) for d in found.values()}


PLAN_OFF = """
local K = require 'Keywords'
local index = K.index{{id=1, name='Animals'}, {id=2, name='Dog', parent=1}, {id=3, name='Cat', parent=1}}
local carried = {a = {[2] = true}, b = {[3] = true}}
local off = {{photo='a', keyword='animals|DOG'}, {photo='a', keyword='Animals|Dog', id=2},
  {photo='b', keyword='Animals|Dog'}, {photo='a', keyword='Animals|Cow'}, {photo='a', keyword='Nowhere'},
  {photo='b', keyword='Animals|Cat', id=2}}
local plan = K.plan(index, {{photo='b', keyword='Animals|Dog'}}, carried, true, off)
local got = {}
for _, one in ipairs(plan.off) do got[#got + 1] = one.photo .. one.id end
return table.concat(got, ' ') .. ', ' .. #plan.links .. ' ' .. #plan.creates
"""


def test_only_what_is_on_the_photo_is_taken_off_once_and_nothing_is_made_for_it(lua: Any) -> None:
    assert lua.execute(PLAN_OFF) == "a2 b3, 1 0"


def test_what_was_called_wrong_is_told_by_keyword_and_not_at_length(lua: Any) -> None:
    told = lua.execute(
        """local off = {}
        for i = 1, 12 do for _ = 1, i == 5 and 3 or 1 do off[#off + 1] = {keyword = string.char(64 + i)} end end
        local found, more = require('Wrong').summary(off)
        local got = {}
        for i, one in ipairs(found) do got[i] = one.keyword .. one.count end
        return table.concat(got, ' ') .. ' +' .. more"""
    )
    assert told == "E3 A1 B1 C1 D1 F1 G1 H1 +4"


def test_what_nobody_looked_at_stays_undecided(lua: Any) -> None:
    assert decisions(lua, "return review:decisions()") == {(1, "A|x", "accepted")}


def test_a_tick_on_a_row_goes_to_all_its_photos(lua: Any) -> None:
    code = "R.tick(review:together()[1], true) return review:decisions()"
    assert decisions(lua, code) == {(1, "A|x", "accepted"), (2, "A|x", "accepted")}


def test_an_unticked_suggestion_is_rejected(lua: Any) -> None:
    code = "R.tick(review:single(1)[1], false) return review:decisions()"
    assert decisions(lua, code) == {(1, "A|x", "rejected")}


def test_all_the_rest_is_wrong_when_the_person_says_so(lua: Any) -> None:
    assert decisions(lua, "return review:decisions(true)") == {
        (1, "A|x", "accepted"), (1, "B", "rejected"), (2, "A|x", "rejected"),
    }  # fmt: skip


def test_the_row_of_a_keyword_says_on_how_many_photos_it_is(lua: Any) -> None:
    got = lua.execute(REVIEW + "local r = review:together()[1] return r.count, r.of, r.chosen, r.ticked, r.best")
    assert got == (2, 2, 1, True, 0.9)


def test_a_row_names_each_source_once_and_says_whether_the_keyword_is_new(lua: Any) -> None:
    got = lua.execute(
        """
    local R = require('Review')
    local review = R.new({
      {id = 1, suggestions = {{keyword = 'A|x', confidence = 0.9, sources = {'vision', 'its name'}, new = false},
                              {keyword = 'Mill', confidence = 0.7, sources = {'vision'}, new = true}}},
      {id = 2, suggestions = {{keyword = 'A|x', confidence = 0.5, sources = {'other', 'vision'}},
                              {keyword = 'B', confidence = 0.5}}},
    }, 0.6)
    local told = {}
    for _, rows in ipairs({review:together(), review:single(1)}) do
      for _, row in ipairs(rows) do
        told[#told + 1] = row.keyword .. ' ' .. table.concat(row.seen_by, ',')
          .. (row.fits_name and ' fits' or '') .. (row.new and ' new' or '')
      end
    end
    return table.concat(told, '; ')"""
    )
    assert got == "A|x vision,other fits; B ; Mill vision new; A|x vision fits; Mill vision new"


def test_taking_a_tick_away_rejects_only_what_was_ticked(lua: Any) -> None:
    code = "R.tick(review:together()[1], false) return review:decisions()"
    assert decisions(lua, code) == {(1, "A|x", "rejected")}


def test_a_page_never_has_more_rows_than_open_fast(lua: Any) -> None:
    got = lua.execute(
        "local R = require('Review') local rows = {} for i = 1, 60 do rows[i] = i end "
        "local page, pages, n = R.page(rows, 9) return #page, pages, n, page[1]"
    )
    assert got == (12, 3, 3, 49)


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ("nil, nil, 'cannotConnectToHost'", "unreachable"),
        ("nil, nil, 'timedOut'", "timeout"),
        ("nil, nil, 'networkConnectionLost'", "broken"),
        ("'{}', 401", "refused"),
        ("'<html>', 500", "problem"),
        ("'{\"a\":', 200", "broken"),
    ],
)
def test_every_failure_has_a_name(lua: Any, arguments: str, kind: str) -> None:
    assert lua.execute(f"local v, p = require('Request').read({arguments}) return p.kind") == kind


def test_a_connection_file_that_points_elsewhere_is_not_believed(lua: Any) -> None:
    read = lua.eval("require('Request').connection")
    good = {"host": "127.0.0.1", "port": 5, "token": "abc"}
    assert read(json.dumps(good))["url"] == "http://127.0.0.1:5"
    for wrong in ({"host": "example.org"}, {"token": "a\r\nX: y"}, {"port": "5"}, {"token": None}):
        assert read(json.dumps(good | wrong)) is None
    assert read("{") is None


def test_every_string_has_an_english_and_a_german_text_with_the_same_places() -> None:
    used = {}
    for file in PLUGIN.glob("*.lua"):
        for key, words in re.findall(r'"(\$\$\$/[^=]+)=((?:[^"\\]|\\.)*)"', file.read_text(encoding="utf-8")):
            assert used.setdefault(key, words) == words, key
    english, german = translations(PLUGIN, "en"), translations(PLUGIN, "de")
    assert english == used
    assert german.keys() == used.keys()
    for key, words in used.items():
        assert sorted(re.findall(r"\^\d", words)) == sorted(re.findall(r"\^\d", german[key])), key


@pytest.mark.parametrize(
    "file", [*sorted(PLUGIN.glob("*.lua")), *sorted(SIMULATION.rglob("*.lua"))], ids=lambda p: p.name
)
def test_every_file_is_lua_51(file: Path) -> None:
    compiler = shutil.which("luac5.1")
    if compiler is None:
        pytest.skip("luac5.1 is not installed (Debian: lua5.1)")
    subprocess.run([compiler, "-p", str(file)], check=True)


def test_luacheck_finds_nothing() -> None:
    tool = shutil.which("luacheck")
    if tool is None:
        pytest.skip("luacheck is not installed (Debian: lua-check)")
    ran = subprocess.run([tool, "-q", *LUA], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


def test_the_lua_is_laid_out_by_stylua() -> None:
    local = ROOT / ".tools" / "node_modules" / ".bin" / "stylua"
    tool = str(local) if local.exists() else shutil.which("stylua")
    if tool is None:
        pytest.skip("stylua is not installed (npm: @johnnymorganz/stylua-bin)")
    ran = subprocess.run([tool, "--check", *LUA], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
