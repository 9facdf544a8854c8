"""Keyword lists in and out: Lightroom's tab-indented text, and CSV.

Lightroom's list (Metadata > Export Keywords) has one keyword a line, a tab for every level, ``[name]`` for keywords
that are not to be exported, and ``{synonym}`` lines one level below their keyword. It has no escapes; a name that
begins with a bracket, or holds a tab or a line break, is written with a look-alike of it and read back as it was
(``keywright.metadata.dialects`` explains how).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from keywright.catalogs.base import CatalogKeyword
from keywright.errors import KeywrightError
from keywright.keywords import KeywordPath
from keywright.metadata.dialects import LookAlikes

_LINES = LookAlikes({"\t": "\u2409", "\n": "\u240a", "\r": "\u240d"})
_BRACKETS = LookAlikes({"[": "\uff3b", "{": "\uff5b"})
_LINE = re.compile(r"\r\n|\n|\r")
_COLUMNS = ("keyword", "synonyms", "private")
_LIGHTROOM_COLUMNS = ("include on export", "export containing keywords", "export synonyms", "person type keyword")
_YES = {"y", "yes", "1", "true", "x"}


class VocabularyError(KeywrightError):
    """A keyword list cannot be read: what is wrong, in which line."""


@dataclass(slots=True)
class _Line:
    path: KeywordPath
    private: bool
    synonyms: list[str] = field(default_factory=list)


def decode(data: bytes, name: str) -> str:
    """The text of a list that was read from a file called ``name``: UTF-8, or UTF-16 with its mark."""
    try:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise VocabularyError(
            f"{name} is not UTF-8 text (byte {error.start}); save it as UTF-8 and try again."
        ) from None


def read_list(text: str, name: str = "the keyword list") -> list[CatalogKeyword]:
    """The keywords of a Lightroom list, in its order. A keyword that is listed twice is one, with all its synonyms.

    Raises ``VocabularyError`` where a line is indented by more than one tab beyond the line it belongs to.
    """
    lines: dict[tuple[str, ...], _Line] = {}
    above: list[_Line] = []
    for number, line in enumerate(_LINE.split(text), 1):
        content = line.lstrip("\t")
        level = len(line) - len(content)
        content = content.strip()
        if not content:
            continue
        if level > len(above):
            raise VocabularyError(f"Line {number} of {name} is indented deeper than a keyword above it allows.")
        if content[0] == "{" and content[-1] == "}":
            if not level:
                raise VocabularyError(f"Line {number} of {name} is a synonym of no keyword.")
            synonym = _read(content[1:-1])
            if synonym and synonym not in above[level - 1].synonyms:
                above[level - 1].synonyms.append(synonym)
            continue
        private = content[0] == "[" and content[-1] == "]" and len(content) > 2
        names = (*(above[level - 1].path.parts if level else ()), _read(content[1:-1] if private else content))
        try:
            path = KeywordPath(names)
        except ValueError as error:
            raise VocabularyError(f"Line {number} of {name} cannot be a keyword: {error}.") from None
        entry = lines.setdefault(path.key, _Line(path, private))
        above[level:] = [entry]
    return [CatalogKeyword(e.path, "", tuple(e.synonyms), e.private) for e in lines.values()]


def write_list(keywords: Iterable[CatalogKeyword]) -> str:
    """The keywords as a Lightroom list, parents before children; parents that are not given are listed as well."""
    given = _with_parents(keywords)
    out = []
    for keyword in given:
        indent = "\t" * (len(keyword.path.parts) - 1)
        name = _write(keyword.path.name)
        out.append(f"{indent}[{name}]" if keyword.private else f"{indent}{name}")
        out += [f"{indent}\t{{{_write(synonym)}}}" for synonym in keyword.synonyms]
    return "\n".join(out) + "\n" if out else ""


def read_csv(text: str, name: str = "the CSV file") -> list[CatalogKeyword]:
    """The keywords of a CSV table, in its order.

    Either Keywright's own columns (``keyword`` as a path with ``|``, ``synonyms``, ``private``), or those of the
    Lightroom export plug-ins: ``Include On Export`` and others, then the name, one column further for every level.
    Raises ``VocabularyError`` where the header is neither.
    """
    dialect = csv.excel_tab if "\t" in text.split("\n", 1)[0] else csv.excel
    if dialect is csv.excel and ";" in text.split("\n", 1)[0] and "," not in text.split("\n", 1)[0]:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))
    else:
        rows = list(csv.reader(io.StringIO(text, newline=""), dialect))
    header = [cell.strip().casefold() for cell in rows[0]] if rows else []
    numbered = [(number, row) for number, row in enumerate(rows[1:], 2) if any(cell.strip() for cell in row)]
    if _COLUMNS[0] in header:
        return [_from_row(header, row, number, name) for number, row in numbered]
    if _LIGHTROOM_COLUMNS[0] in header:
        return _from_levels(header, numbered, name)
    raise VocabularyError(f'The first line of {name} names no column "keyword"; add a header line.')


def write_csv(keywords: Iterable[CatalogKeyword]) -> str:
    """The keywords as CSV with the columns ``keyword``, ``synonyms`` and ``private``."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for keyword in keywords:
        synonyms = str(KeywordPath(keyword.synonyms)) if keyword.synonyms else ""
        writer.writerow([str(keyword.path), synonyms, "yes" if keyword.private else "no"])
    return out.getvalue()


def _from_row(header: list[str], row: list[str], number: int, name: str) -> CatalogKeyword:
    cells = dict(zip(header, row, strict=False))
    try:
        path = KeywordPath.parse(cells.get("keyword", ""))
        synonyms = KeywordPath.parse(cells["synonyms"]).parts if cells.get("synonyms", "").strip() else ()
    except ValueError as error:
        raise VocabularyError(f"Line {number} of {name} cannot be a keyword: {error}.") from None
    return CatalogKeyword(path, "", synonyms, cells.get("private", "").strip().casefold() in _YES)


def _from_levels(header: list[str], rows: list[tuple[int, list[str]]], name: str) -> list[CatalogKeyword]:
    """Rows of flags, then the name, as many columns to the right as it lies deep."""
    flags = sum(1 for cell in header if cell in _LIGHTROOM_COLUMNS)
    include = header.index(_LIGHTROOM_COLUMNS[0])
    person = header.index(_LIGHTROOM_COLUMNS[3]) if _LIGHTROOM_COLUMNS[3] in header else None
    keywords = []
    above: list[str] = []
    for number, row in rows:
        names = row[flags:]
        level = next((index for index, cell in enumerate(names) if cell.strip()), -1)
        if not 0 <= level <= len(above):
            raise VocabularyError(f"Line {number} of {name} has no name, or one without a keyword above it.")
        above[level:] = [names[level].strip()]
        if person is None or row[person].strip().casefold() not in _YES:
            private = row[include].strip().casefold() not in _YES
            keywords.append(CatalogKeyword(KeywordPath(tuple(above)), "", (), private))
    return keywords


def _with_parents(keywords: Iterable[CatalogKeyword]) -> list[CatalogKeyword]:
    """The keywords, each once and after its parents, children next to their parent, otherwise in the order given."""
    nodes: dict[tuple[str, ...], CatalogKeyword] = {}
    below: dict[tuple[str, ...], list[tuple[str, ...]]] = {}

    def put(path: KeywordPath, keyword: CatalogKeyword | None) -> None:
        if path.key not in nodes:
            if path.parent:
                put(path.parent, None)
            below.setdefault(path.key[:-1], []).append(path.key)
            nodes[path.key] = keyword or CatalogKeyword(path, "")
        elif keyword is not None and not nodes[path.key].synonyms and not nodes[path.key].private:
            nodes[path.key] = keyword

    for keyword in keywords:
        put(keyword.path, keyword)
    order: list[CatalogKeyword] = []
    todo = list(reversed(below.get((), [])))
    while todo:
        key = todo.pop()
        order.append(nodes[key])
        todo += reversed(below.get(key, []))
    return order


def _write(name: str) -> str:
    name = _LINES.write(name)
    head = re.match(r".\u2060*", name, re.DOTALL)
    return _BRACKETS.write(head.group()) + name[head.end() :] if head else name


def _read(text: str) -> str:
    head = re.match(r".\u2060*", text, re.DOTALL)
    return _LINES.read(_BRACKETS.read(head.group()) + text[head.end() :] if head else text).strip()
