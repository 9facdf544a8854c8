"""Draws a dialog as the simulator lays it out, for the docs: boxes and words, no imitation of a system's look."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from lightroom.simulation.dialogs import Control, Dialog

_LINE, _GAP, _PAD = 20, 6, 10
_INK, _SOFT, _PAPER = (40, 40, 40), (150, 150, 150), (250, 250, 250)

Draw = Callable[[ImageDraw.ImageDraw, int, int], None]


def _font() -> Any:
    return ImageFont.load_default(13)


def _width(words: str) -> int:
    return int(_font().getlength(words)) + 1


def _box(control: Control) -> tuple[int, int, Draw]:
    """Width, height, and how to draw it at a place."""
    kind = control.kind
    if kind in ("row", "column", "view", "group_box"):
        return _container(control)
    if kind == "scrolled_view":
        return _scrolled(control)
    if kind == "catalog_photo":
        wide, high = int(control.settings["width"] or 100), int(control.settings["height"] or 100)
        return wide, high, lambda d, x, y: d.rectangle((x, y, x + wide, y + high), fill=(205, 205, 205), outline=_SOFT)
    if kind == "separator":
        return 10, 6, lambda d, x, y: d.line((x, y + 3, x + 500, y + 3), fill=(215, 215, 215))
    if kind == "slider":
        wide = int(control.settings["width"] or 120)
        share = (float(control.shown("value") or 0)) / float(control.settings["max"] or 100)

        def slider(d: ImageDraw.ImageDraw, x: int, y: int) -> None:
            d.line((x, y + 10, x + wide, y + 10), fill=_SOFT, width=2)
            d.ellipse((x + wide * share - 5, y + 5, x + wide * share + 5, y + 15), fill=_INK)

        return wide, _LINE, slider
    if kind == "checkbox":
        ticked = bool(control.shown("value"))

        def checkbox(d: ImageDraw.ImageDraw, x: int, y: int) -> None:
            d.rectangle((x, y + 3, x + 13, y + 16), outline=_INK, fill="white")
            if ticked:
                d.line((x + 3, y + 9, x + 6, y + 13, x + 11, y + 5), fill=_INK, width=2)
            d.text((x + 20, y + 2), control.title, fill=_INK, font=_font())

        return 20 + _width(control.title), _LINE, checkbox
    if kind == "push_button":
        return _button(control.title, _INK if control.enabled else _SOFT)
    words = control.title or str(control.shown("value") or "")
    return _width(words), _LINE, lambda d, x, y: d.text((x, y + 2), words, fill=_INK, font=_font())


def _button(words: str, ink: tuple[int, int, int]) -> tuple[int, int, Draw]:
    wide = _width(words) + 20

    def button(d: ImageDraw.ImageDraw, x: int, y: int) -> None:
        d.rounded_rectangle((x, y, x + wide, y + 22), 4, outline=ink, fill="white")
        d.text((x + 10, y + 3), words, fill=ink, font=_font())

    return wide, 24, button


def _scrolled(control: Control) -> tuple[int, int, Draw]:
    _, inner_high, draw = _box(control.children[0])
    wide, high = int(control.settings["width"]), int(control.settings["height"])

    def scrolled(d: ImageDraw.ImageDraw, x: int, y: int) -> None:
        inside = Image.new("RGB", (wide, high), _PAPER)
        pen = ImageDraw.Draw(inside)
        draw(pen, 2, 0)
        if inner_high > high:
            pen.rounded_rectangle((wide - 8, 2, wide - 3, high * high / inner_high), 3, fill=_SOFT)
        d._image.paste(inside, (x, y))

    return wide, high, scrolled


def _container(control: Control) -> tuple[int, int, Draw]:
    across = control.kind == "row"
    framed = control.kind == "group_box"
    boxes = [_box(child) for child in control.children if child.visible]
    inset, top = (_PAD, 24) if framed else (0, 0)
    sizes = [box[0] if across else box[1] for box in boxes]
    length = sum(sizes) + _GAP * max(0, len(boxes) - 1)
    breadth = max([box[1] if across else box[0] for box in boxes], default=0)
    wide, high = (length, breadth) if across else (breadth, length)
    if framed:
        wide, high = max(wide + 2 * inset, 520), high + top + _PAD

    def draw(d: ImageDraw.ImageDraw, x: int, y: int) -> None:
        if framed:
            d.rounded_rectangle((x, y + 10, x + wide, y + high), 5, outline=(210, 210, 210))
            d.rectangle((x + 8, y, x + 16 + _width(control.title), y + 18), fill=_PAPER)
            d.text((x + 12, y + 2), control.title, fill=_INK, font=_font())
        at = inset if across else top
        for (_, _, part), size in zip(boxes, sizes, strict=True):
            part(d, x + (at if across else inset), y + (0 if across else at))
            at += size + _GAP

    return wide, high, draw


def picture(dialog: Dialog) -> Image.Image:
    """The dialog with its title and the two buttons Lightroom puts under it."""
    wide, high, draw = _box(dialog.root)
    wide = max(wide, 540)
    made = Image.new("RGB", (wide + 2 * _PAD, high + 90), _PAPER)
    pen = ImageDraw.Draw(made)
    pen.rectangle((0, 0, made.width, 26), fill=(228, 228, 228))
    pen.text((_PAD, 5), dialog.title, fill=_INK, font=_font())
    draw(pen, _PAD, 36)
    at = made.width - _PAD
    for name in ("actionVerb", "cancelVerb"):
        words = str(dialog.arguments[name] or "OK").encode("latin-1").decode("utf-8")
        size, _, button = _button(words, _INK)
        at -= size
        button(pen, at, high + 50)
        at -= _GAP
    pen.rectangle((0, 0, made.width - 1, made.height - 1), outline=_SOFT)
    return made
