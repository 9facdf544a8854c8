"""A Lightroom to run the plug-in in: menu items, selection, a clock, a person who answers dialogs, undo, cancel.

The clock is the simulation's own: a sleeping task costs no time, except while the real bridge works (``real_time``).
"""

from __future__ import annotations

import io
import os
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lupa import lua51

from lightroom.simulation.catalog import Catalog, SdkError
from lightroom.simulation.dialogs import Dialog
from lightroom.simulation.http import Reply, send

PLUGIN = Path(__file__).resolve().parents[3] / "lightroom-lua" / "Keywright.lrplugin"

Person = Callable[[Dialog], Iterator[str | None]]
"""Looks at a dialog, ticks and types, yields ``None`` to let time pass and at last the button that closes it."""


def text(raw: object) -> str:
    """Lua's bytes as the text they spell (the runtime hands them over as Latin-1, byte for byte)."""
    return str(raw).encode("latin-1").decode("utf-8", "replace")


def raw(words: str) -> str:
    return words.encode("utf-8").decode("latin-1")


@dataclass
class Shown:
    kind: str
    text: str
    info: str = ""
    at: float = 0.0  # when, by the simulation's clock


@dataclass
class Lightroom:
    catalog: Catalog
    folder: Path  # stands for the user's folders
    plugin: Path = PLUGIN
    windows: bool = False
    language: str = "en"
    real_time: bool = False
    environment: dict[str, str] = field(default_factory=dict)
    selected: list[int] = field(default_factory=list)
    filmstrip: list[int] | None = None
    messages: list[Shown] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    failed_tasks: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    progress: list[tuple[str, float]] = field(default_factory=list)
    dialogs: list[Dialog] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    confirms: list[str] = field(default_factory=list)
    gates: list[str] = field(default_factory=list)
    thumbnails: Callable[[int], str] = lambda _photo: "0.2"
    pictures: Callable[[int, int, int], bytes | None] | None = None
    on_command: Callable[[str], int] | None = None
    on_http: Callable[[str, str], None] | None = None
    cancel: Callable[[], bool] = lambda: False
    requests: list[tuple[str, str, int]] = field(default_factory=list)
    clock: float = 0.0  # the simulation's, at this turn
    sent: list[tuple[str, str, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lua = lua51.LuaRuntime(encoding="latin-1", unpack_returned_tuples=True, register_eval=False)
        self._strings = translations(self.plugin, self.language)
        self._open: Dialog | None = None
        host = self.lua.table_from({name[3:]: getattr(self, name) for name in dir(self) if name.startswith("do_")})
        host["windows"] = self.windows
        self._network = ThreadPoolExecutor(4)
        self._replies: list[tuple[str, str, Future[Reply]]] = []
        source = (Path(__file__).with_name("sdk.lua")).read_text(encoding="utf-8")
        self.control = self.lua.execute("return function(t, ...) return assert(loadstring(t, '=sdk'))(...) end")(
            raw(source), host, raw(str(self.plugin)), raw(str(Path(__file__).parent))
        )

    # What a person does.

    def choose(self, file: str, *, most_seconds: float = 600) -> None:
        """Pick a menu item by its file and wait until everything it began has ended."""
        self.control.run_file(file)
        self.settle(most_seconds)

    def settle(self, most_seconds: float = 600) -> None:
        end = time.monotonic() + most_seconds
        while True:
            now = self.clock = float(self.control.now())
            left, soonest, _ran = self.control.turn()
            if not left:
                return
            if time.monotonic() > end:
                raise AssertionError(f"the plug-in has not ended after {most_seconds} s; its log: {self.log[-5:]}")
            if soonest > now:
                if self.real_time:
                    time.sleep(min(soonest - now, 0.1))
                self.control.advance(soonest)

    def run(self, lua: str, *arguments: object) -> Any:
        """Run Lua with the plug-in's globals in a task; gives what it returns, raises what it raises."""
        chunk = self.control.compile(raw(lua))
        box: dict[str, Any] = {}

        def keep(ok: bool, value: object = None, *_held: object) -> None:
            box["ok"], box["value"] = ok, value

        self.lua.execute(
            "local control, chunk, keep, args = ...;"
            "control.start(function() keep(control.sdk.LrTasks.pcall(chunk, unpack(args))) end)",
            self.control,
            chunk,
            keep,
            self.lua.table_from(list(arguments)),
        )
        self.settle()
        if not box["ok"]:
            raise SdkError(text(box["value"]))
        return box["value"]

    def module(self, name: str) -> Any:
        return self.control.require(name)

    # What the SDK asks.

    def do_count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    def do_fault(self, what: str) -> None:
        self.faults.append(text(what))

    def do_task_failed(self, problem: str) -> None:
        self.failed_tasks.append(text(problem))

    def do_log(self, _name: str, level: str, words: str) -> None:
        self.log.append(f"{level}: {text(words)}")

    def do_message(self, kind: str, words: str, info: str, _style: str) -> None:
        self.messages.append(Shown(kind, text(words), text(info), self.clock))

    def do_confirm(self, words: str, info: str, action: str, cancel: str, other: str | None) -> str:  # noqa: ARG002
        self.messages.append(Shown("confirm", text(words), text(info)))
        return self.confirms.pop(0) if self.confirms else "cancel"

    def do_browser(self, url: str) -> None:
        self.opened.append(text(url))

    def do_show_sources(self, what: str) -> None:
        self.opened.append("collection:" + text(what))

    def do_execute(self, command: str) -> tuple[bool, object]:
        self.commands.append(text(command))
        return True, self.on_command(text(command)) if self.on_command else 127

    def do_getenv(self, name: str) -> str | None:
        value = self.environment.get(name)
        return None if value is None else raw(value)

    def do_uuid(self) -> str:
        return str(uuid.uuid4()).upper()

    def do_translated(self, key: str) -> str | None:
        found = self._strings.get(text(key))
        return None if found is None else raw(found)

    def do_folder(self, name: str) -> str:
        return raw(str(self.folder / name))

    def do_exists(self, path: str) -> object:
        found = Path(text(path))
        return "directory" if found.is_dir() else "file" if found.exists() else False

    def do_make_folder(self, path: str) -> None:
        Path(text(path)).mkdir(parents=True, exist_ok=True)

    def do_cancelled(self) -> bool:
        return bool(self.cancel())

    def do_progress(self, title: str, done: float, total: float, _caption: str) -> None:
        if done >= 0:
            self.progress.append((text(title), done / total if total else 1.0))

    def do_real_time(self) -> bool:
        return self.real_time

    def do_http_begin(self, method: str, url: str, body: str, headers: str, timeout: float) -> int:
        lines = headers.split("\n") if headers else []
        if self.on_http:
            self.on_http(method, url)
        data = body.encode("latin-1")
        self.sent.append((method, url, data))
        fields = list(zip(lines[::2], lines[1::2], strict=True))
        self._replies.append((method, url, self._network.submit(send, method, url, data, fields, float(timeout))))
        return len(self._replies) - 1

    def do_http_ended(self, number: int) -> bool:
        reply = self._replies[number][2]
        wait([reply], timeout=0 if self.real_time else 0.01)
        return reply.done()

    def do_http_answer(self, number: int) -> tuple[object, ...]:
        method, url, answered = self._replies[number]
        reply = answered.result()
        self.requests.append((method, url, reply.status))
        names = "".join(f"{name}\n{value}\n" for name, value in reply.headers)
        content = None if reply.body is None else reply.body.decode("latin-1")
        return reply.status, names, content, reply.error or None, reply.name or None

    # The catalog.

    def do_catalog_path(self) -> str:
        return raw(str(self.catalog.path))

    def _ids(self, numbers: list[int]) -> str:
        return "\n".join(map(str, numbers))

    def do_target_photos(self) -> str:
        strip = self.filmstrip if self.filmstrip is not None else self.catalog.shown()
        return self._ids(self.selected or strip)

    def do_target_photo(self) -> int | None:
        return self.selected[0] if self.selected else None

    def do_all_photos(self) -> str:
        return self._ids(list(self.catalog.photos))

    def do_photo_by_uuid(self, wanted: str) -> int | None:
        return next((p.id for p in self.catalog.photos.values() if p.uuid == wanted), None)

    def do_photo_by_path(self, wanted: str) -> int | None:
        path = text(wanted)
        return next((p.id for p in self.catalog.photos.values() if p.path == path and p.master is None), None)

    def do_raw(self, number: int, key: str) -> object:
        photo = self.catalog.photos[number]
        return {
            "path": lambda: raw(photo.path),
            "uuid": lambda: photo.uuid,
            "isVirtualCopy": lambda: photo.master is not None,
            "keywords": lambda: self._ids(photo.keywords),
            "masterPhoto": lambda: photo.master,
            "fileFormat": lambda: "VIDEO" if photo.video else "JPG",
            "isCropped": lambda: photo.cropped,
            "rating": lambda: None,
            "isVideo": lambda: photo.video,
            "stackPositionInFolder": lambda: photo.position,
        }[key]()

    def do_formatted(self, number: int, key: str) -> str:
        photo = self.catalog.photos[number]
        if key == "fileName":
            return raw(photo.path.rsplit("/", 1)[-1])
        return raw(photo.copy_name) if key == "copyName" else ""

    def do_thumbnail(self, number: int, _width: int, _height: int) -> str:
        return self.thumbnails(number)

    def do_picture(self, number: int, width: int, height: int) -> str | None:
        made = self.pictures(number, width, height) if self.pictures else developed(self.catalog, number, width)
        return None if made is None else made.decode("latin-1")

    def _try(self, action: Callable[[], object]) -> tuple[bool, object]:
        try:
            return True, action()
        except SdkError as error:
            return False, raw(str(error))

    def do_keyword(self, number: int, what: str) -> tuple[bool, object]:
        def read() -> object:
            keyword = self.catalog.readable(number, f"LrKeyword ({what})")
            self.do_count("keyword")
            return {
                "name": raw(keyword.name),
                "parent": keyword.parent,
                "synonyms": raw("\n".join(keyword.synonyms)),
                "export": keyword.include_on_export,
            }[what]

        return self._try(read)

    def do_children(self, number: int) -> tuple[bool, object]:
        def read() -> str:
            self.catalog.readable(number, "LrKeyword:getChildren")
            self.do_count("children")
            return self._ids(self.catalog.children(number))

        return self._try(read)

    def do_top_keywords(self) -> str:
        self.do_count("children")
        return self._ids(self.catalog.children(None))

    def do_has_keyword(self, number: int) -> bool:
        return number in self.catalog.keywords

    def do_link(self, photo: int, keyword: int) -> tuple[bool, object]:
        return self._try(lambda: self.catalog.link(photo, keyword))

    def do_unlink(self, photo: int, keyword: int) -> tuple[bool, object]:
        return self._try(lambda: self.catalog.unlink(photo, keyword))

    def do_create_keyword(
        self, name: str, synonyms: str, export: bool, parent: int | None, existing: bool
    ) -> tuple[bool, object]:
        names = tuple(text(synonyms).split("\n")) if synonyms else ()
        return self._try(lambda: self.catalog.create_keyword(text(name), names, export, parent or None, existing))

    def do_create_collection(self, name: str, existing: bool) -> tuple[bool, object]:
        def make() -> object:
            made = self.catalog.collection(text(name), existing)
            return None if made is None else raw(made)

        return self._try(make)

    def do_collect(self, name: str, photos: str) -> tuple[bool, object]:
        return self._try(lambda: self.catalog.collect(text(name), [int(p) for p in photos.split("\n") if p]))

    def do_empty(self, name: str) -> tuple[bool, object]:
        return self._try(lambda: self.catalog.empty(text(name)))

    def do_in_gate(self) -> bool:
        return self.catalog.in_gate

    def do_gate_answer(self) -> str:
        return self.gates.pop(0) if self.gates else "free"

    def do_begin(self, name: str) -> tuple[bool, object]:
        return self._try(lambda: self.catalog.begin(text(name)))

    def do_finish(self, keep: bool) -> None:
        self.catalog.end(keep=bool(keep))

    # Dialogs.

    def do_open_dialog(self, arguments: Any, resolved: Any) -> None:
        self._open = Dialog(arguments, resolved)
        self.dialogs.append(self._open)
        if not self.people:
            raise AssertionError(f"nobody answers the dialog {self._open.title!r}:\n{self._open.words()}")
        self._answers = self.people.pop(0)(self._open)

    def do_dialog_turn(self) -> str | None:
        if self._open is None:
            raise AssertionError("no dialog is open")
        if self._open.stopped is None:
            given = next(self._answers, "cancel")
            if self._open.stopped is None and given is None:
                return None
            self._open.stopped = self._open.stopped or given
        result, self._open = self._open.stopped, None
        return result

    def do_stop(self, result: str) -> None:
        if self._open is None:
            raise AssertionError("LrDialogs.stopModalWithResult without a dialog")
        self._open.stopped = str(result)


def translations(plugin: Path, language: str) -> dict[str, str]:
    """The strings of ``TranslatedStrings_xx.txt``: lines of ``"$$$/Key=Text"``."""
    path = plugin / f"TranslatedStrings_{language}.txt"
    found = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith('"$$$/') and line.endswith('"'):
                key, _, words = line[1:-1].partition("=")
                found[key] = words
    return found


def developed(catalog: Catalog, number: int, width: int) -> bytes | None:
    """The thumbnail of a photo: from its file, or grey where the original is offline (Lightroom keeps previews)."""
    from PIL import Image

    path = Path(catalog.photos[number].path)
    picture = Image.open(path).convert("RGB") if path.exists() else Image.new("RGB", (width, width), (120, 120, 120))
    picture.thumbnail((width, width))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85)
    return out.getvalue()


def real_environment() -> dict[str, str]:
    return dict(os.environ)
