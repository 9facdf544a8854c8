"""acdsee:categories: a tree of categories, as XML inside a text value.

``<Categories><Category Assigned="0">Animals<Category Assigned="1">Dog</Category></Category></Categories>``

Entries are given as text with levels between ``|``, in the same spelling as the other ``|`` fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from keywright.keywords import KeywordPath, fold_name
from keywright.metadata.dialects import BARS, FLAT

_BARE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9A-Fa-f]+);)")
_MAX_DEPTH = 100


@dataclass
class _Category:
    name: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[_Category] = field(default_factory=list)

    @property
    def keyword(self) -> str:
        return FLAT.read_name(self.name)

    @property
    def assigned(self) -> bool:
        return self.attributes.get("Assigned") == "1"

    def child(self, name: str) -> _Category | None:
        return next((c for c in self.children if fold_name(c.keyword) == fold_name(name)), None)


def entries(value: str) -> list[str]:
    """The assigned categories of a value, from the top.

    Raises ``ValueError`` where it is not the XML it should be.
    """
    found: list[str] = []

    def walk(category: _Category, above: tuple[str, ...]) -> None:
        names = (*above, category.keyword)
        if category.assigned and all(names):
            found.append(BARS.write(KeywordPath(names)))
        for child in category.children:
            walk(child, names)

    for child in _parse(value).children:
        walk(child, ())
    return found


def rewrite(value: str, add: Iterable[KeywordPath], remove: Iterable[KeywordPath]) -> str:
    """The value with categories assigned and others no longer; ``""`` where none are left.

    Raises ``ValueError`` where the value is not the XML it should be.
    """
    root = _parse(value)
    for path in remove:
        _take_out(root, path.key)
    for path in add:
        category = root
        for name in path.parts:
            below = category.child(name)
            if below is None:
                below = _Category(FLAT.write_name(name), {"Assigned": "0"})
                category.children.append(below)
            category = below
        category.attributes["Assigned"] = "1"
    if not root.children:
        return ""
    return f"<Categories>{''.join(map(_write, root.children))}</Categories>"


def _take_out(category: _Category, key: tuple[str, ...]) -> None:
    child = category.child(key[0])
    if child is None:
        return
    if len(key) > 1:
        _take_out(child, key[1:])
    elif child.assigned:
        child.attributes["Assigned"] = "0"
    if not child.assigned and not child.children:
        category.children.remove(child)


def _write(category: _Category) -> str:
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in category.attributes.items())
    inside = escape(category.name.strip(), {"\r": "&#13;"}) + "".join(map(_write, category.children))
    return f"<Category{attributes}>{inside}</Category>"


def _parse(value: str) -> _Category:
    """The tree under a nameless root; digiKam does not escape ``&`` in names, so a bare one is taken as meant."""
    if not value.strip():
        return _Category()
    try:
        return _parse_strictly(value)
    except expat.ExpatError:
        try:
            return _parse_strictly(_BARE_AMPERSAND.sub("&amp;", value))
        except expat.ExpatError as error:
            raise ValueError(f"acdsee:categories are damaged: {expat.ErrorString(error.code)}") from error


def _parse_strictly(value: str) -> _Category:
    root = _Category()
    stack = [root]
    parser = expat.ParserCreate()

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(stack) == 1 and name == "Categories":
            stack.append(root)
            return
        if name != "Category" or len(stack) < 2 or len(stack) > _MAX_DEPTH:
            raise ValueError("acdsee:categories hold something else than categories, or too deep a tree of them")
        category = _Category(attributes=attributes)
        stack[-1].children.append(category)
        stack.append(category)

    def end(_name: str) -> None:
        stack.pop()

    def characters(text: str) -> None:
        stack[-1].name += text

    def refuse(*_: object) -> None:
        raise ValueError("acdsee:categories have a document type")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(value, True)
    return root
