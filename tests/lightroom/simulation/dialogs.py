"""A dialog as a person sees it: its controls in order, what each shows now, and what can be done with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

CONTAINERS = {"row", "column", "view", "group_box", "scrolled_view", "tab_view", "tab_view_item"}


def _text(value: object) -> str:
    return str(value).encode("latin-1").decode("utf-8", "replace")


@dataclass
class Control:
    settings: Any
    properties: Any  # the table its bindings look into
    resolved: Any
    kind: str = ""
    children: list[Control] = field(default_factory=list)

    def shown(self, name: str) -> Any:
        found = self.resolved(self.settings[name], self.properties)
        return _text(found) if isinstance(found, str) else found

    @property
    def title(self) -> str:
        found = self.shown("title")
        return "" if found is None else str(found)

    @property
    def visible(self) -> bool:
        return self.settings["visible"] is None or bool(self.shown("visible"))

    @property
    def enabled(self) -> bool:
        return self.settings["enabled"] is None or bool(self.shown("enabled"))

    def set(self, value: object) -> None:
        """Tick, type or slide: the bound property becomes what the person chose."""
        if not self.enabled:
            raise AssertionError(f"{self.title!r} is greyed out")
        binding = self.settings["value"]
        target = binding["object"] or self.properties
        target[binding["key"]] = value.encode("utf-8").decode("latin-1") if isinstance(value, str) else value


class Dialog:
    """One opened dialog. ``stopped`` is the result that closes it."""

    def __init__(self, arguments: Any, resolved: Any) -> None:
        self.arguments = arguments
        self.title = _text(arguments["title"] or "")
        self.stopped: str | None = None
        self._resolved = resolved
        self.root = self._control(arguments["contents"], None)

    def _control(self, settings: Any, properties: Any) -> Control:
        bound = settings["bind_to_object"] or properties
        made = Control(settings, bound, self._resolved, _text(settings["kind"]))
        number = 1
        while settings[number] is not None:
            made.children.append(self._control(settings[number], bound))
            number += 1
        return made

    def controls(self, kind: str | None = None) -> list[Control]:
        def walk(control: Control) -> Iterator[Control]:
            if control.visible:
                yield control
                for child in control.children:
                    yield from walk(child)

        return [c for c in walk(self.root) if kind is None or c.kind == kind]

    def words(self) -> str:
        """Everything it says, one line a control."""
        lines = []
        for control in self.controls():
            if control.kind in ("static_text", "push_button", "group_box", "checkbox"):
                mark = ("[x] " if control.shown("value") else "[ ] ") if control.kind == "checkbox" else ""
                lines.append(mark + control.title)
        return "\n".join(lines)

    def find(self, kind: str, title: str) -> Control:
        for control in self.controls(kind):
            if title in control.title:
                return control
        raise AssertionError(f"no {kind} {title!r} in:\n{self.words()}")

    def tick(self, title: str, value: bool = True) -> None:
        self.find("checkbox", title).set(value)

    def press(self, title: str) -> None:
        button = self.find("push_button", title)
        if not button.enabled:
            raise AssertionError(f"the button {title!r} is greyed out")
        button.settings["action"](button.settings)
