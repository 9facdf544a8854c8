"""What becomes of the files of a folder: ``python benchmarks/formats_table.py FOLDER [--write docs/formats.md]``.

Prints a Markdown table: the file, what it is, how its picture was had, or the one sentence why there is none. With
``--write``, the table replaces what stands between the two markers of that document. Samples that are known to be cut
are marked: what becomes of those says nothing of whole files of their kind.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from keywright.renditions.base import RenditionError
from keywright.renditions.formats import format_of, may_hold_a_picture
from keywright.renditions.renderer import Renderer

BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
LONGEST_SIDE = 512
CUT = frozenset(
    (
        "raw/Canon-R6-pruned.CR3",
        "raw/CanonRaw.cr2",
        "raw/CanonRaw.cr3",
        "raw/FujiFilm.raf",
        "raw/IMG_1361.dng",
        "raw/Minolta.mrw",
        "raw/Nikon.nef",
        "raw/Panasonic.rw2",
        "raw/PhaseOne.iiq",
        "raw/SigmaDP2.x3f",
        "raw/fixture-Leica-M10.dng",
        "raw/fixture-sony-zv-e10.arw",
        "raw/fixture.cr3",
        "raw/fixture.orf",
        "video/QuickTime.mov",
    )
)
"""Files of ../shared/formats that hold a header, or the first part of a file, alone, as its MANIFEST.csv says."""


def table(folder: Path) -> str:
    """The table, one row a file, in the order of their names, and a line that counts them."""
    rows, pictures, refused, refused_cut = [], 0, 0, 0
    with Renderer() as renderer:
        for path in sorted(path for path in folder.rglob("*") if path.is_file() and may_hold_a_picture(path)):
            kind = format_of(path)
            name = path.relative_to(folder).as_posix()
            try:
                rendition = renderer.thumbnail(path, LONGEST_SIDE)
            except RenditionError as error:
                refused += 1
                refused_cut += name in CUT
                outcome = f"no picture: {str(error).replace(str(path), 'it').replace('|', '/')}"
            else:
                pictures += 1
                height, width, _ = rendition.pixels.shape
                outcome = f"{rendition.how.value}, {width} × {height}"
            mark = "sample is cut; " if name in CUT else ""
            rows.append(f"| {name} | {kind.value if kind else 'unknown'} | {mark}{outcome} |")
    head = ["| file | format | outcome |", "| --- | --- | --- |"]
    count = f"{pictures} give a picture, {refused} are refused with a reason ({refused_cut} of these are cut samples)."
    return "\n".join([*head, *rows, "", count])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", type=Path, help="the document whose table is replaced")
    arguments = parser.parse_args()
    made = table(arguments.folder)
    if arguments.write is None:
        print(made)
        return
    text = arguments.write.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    arguments.write.write_text(f"{before}{BEGIN}\n{made}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
