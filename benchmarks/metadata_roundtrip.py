"""Write two keywords into every file of a collection and take them out again, with exiftool and exiv2 as witnesses.

    python -m benchmarks.metadata_roundtrip FOLDER... [--json]

Nothing in the folders is touched: every file is copied, with its sidecars. After writing, exactly the two keywords
must have come in, as exiftool, exiv2 and Keywright read them, and every other tag, the picture and the previews
must be as before. After taking them out, all tags must be as at the start, and sidecars byte for byte. The table
says how many files were tried, written and refused (with the reason), and how many were damaged: none, or the
command fails.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import re
import subprocess
import sys
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keywright.keywords import KeywordPath
from keywright.metadata import Added, FileChange, MetadataError, SidecarProfile, plan_file_change, read_keywords, revert
from keywright.metadata.base import apply_edits, invert_edits

KEYWORDS = (KeywordPath.of("Keywright Probe"), KeywordPath.of("Keywright Test", "Zweite Ebene äß"))
NAMES = {name for path in KEYWORDS for name in path.parts}
FIELDS = {
    "XMP-dc:Subject": NAMES,
    "XMP-lr:HierarchicalSubject": {"|".join(path.parts) for path in KEYWORDS},
    "XMP-digiKam:TagsList": {"/".join(path.parts) for path in KEYWORDS},
    "XMP-microsoft:LastKeywordXMP": {"/".join(path.parts) for path in KEYWORDS},
    "XMP-mediapro:CatalogSets": {"|".join(path.parts) for path in KEYWORDS},
    "XMP-expressionmedia:CatalogSets": {"|".join(path.parts) for path in KEYWORDS},
    "IPTC:Keywords": NAMES,
    "IFD0:XPKeywords": NAMES,
}
ALWAYS = ("XMP-dc:Subject", "XMP-lr:HierarchicalSubject", "XMP-digiKam:TagsList")
# What has to change with the keywords: sizes, positions and digests, and the declaration of a new packet or charset.
_MAY_CHANGE = {
    "XMP-acdsee:Categories",
    "Photoshop:IPTCDigest",
    "File:CurrentIPTCDigest",
    "XMP-x:XMPToolkit",
    "XMP-xmpNote:HasExtendedXMP",
    "IPTC:CodedCharacterSet",
    "RIFF:WebP_Flags",
}
# Positions and sizes of what is compared itself.
_PLACES = ("MPImageStart", "MPImageLength", "ThumbnailOffset", "PreviewImageStart", "IFD0:ApplicationNotes")
_MAY_CHANGE_GROUPS = ("System:", "ExifTool:", "SourceFile")
_COPY = re.compile(r":Copy\d+:")
_PREVIEWS = ("ThumbnailImage", "PreviewImage", "JpgFromRaw", "OtherImage", "MPImage2", "MPImage3", "PhotoshopThumbnail")


@dataclass(slots=True)
class Trial:
    """One file of the collection, and what became of it."""

    source: Path
    folder: str
    photo: Path
    change: FileChange | None = None
    refused: str = ""
    damage: list[str] = field(default_factory=list)
    before: frozenset[KeywordPath] = frozenset()

    def check(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.damage.append(otherwise)


@dataclass(frozen=True, slots=True)
class Report:
    trials: tuple[Trial, ...]

    @property
    def written(self) -> list[Trial]:
        return [trial for trial in self.trials if trial.change is not None]

    @property
    def refused(self) -> list[Trial]:
        return [trial for trial in self.trials if trial.refused]

    @property
    def damaged(self) -> list[Trial]:
        return [trial for trial in self.trials if trial.damage]


def run(sources: Iterable[Path], work: Path) -> Report:
    """Try every file; ``work`` is an empty folder for the copies."""
    trials = [_prepare(source, f"{index:04d}", work) for index, source in enumerate(sorted(sources))]
    for trial in trials:
        _write(trial, work)
    states = ("before", "after", "back")
    tags = {state: _exiftool(work / state) for state in states}
    previews = {state: _exiftool(work / state, "-b", *(f"-{name}" for name in _PREVIEWS)) for state in states}
    witnessed = {
        state: _exiv2([work / state / t.folder / t.change.target.name for t in trials if t.change]) for state in states
    }
    for trial in trials:
        if trial.change is not None:
            _compare(trial, trial.change, work, tags, previews, witnessed)
    return Report(tuple(trials))


def _prepare(source: Path, folder: str, work: Path) -> Trial:
    for state in ("before", "after", "back"):
        (work / state / folder).mkdir(parents=True)
    here = work / "before" / folder
    if source.suffix.lower() == ".xmp":
        (here / source.name).write_bytes(source.read_bytes())
        made_for = re.search(rb"SidecarForExtension\W+(\w+)", source.read_bytes())
        suffix = made_for.group(1).decode() if made_for else "nef"
        photo = here / (source.stem if Path(source.stem).suffix else f"{source.stem}.{suffix}")
        photo.write_bytes(b"II*\x00 a raw file, by its name")
    else:
        photo = here / source.name
        for name in (source.name, source.name + ".xmp", source.stem + ".xmp"):
            if (source.parent / name).is_file():
                (here / name).write_bytes((source.parent / name).read_bytes())
    return Trial(source, folder, photo)


def _write(trial: Trial, work: Path) -> None:
    for state in ("after", "back"):
        for file in trial.photo.parent.iterdir():
            (work / state / trial.folder / file.name).write_bytes(file.read_bytes())
    try:
        trial.before = read_keywords(trial.photo).keywords
        # An .xmp file is tried as the sidecar it is, also beside a JPEG; what can be embedded in is tried itself.
        profile = SidecarProfile.DARKTABLE if trial.source.suffix.lower() == ".xmp" else SidecarProfile.LIGHTROOM
        change = plan_file_change(trial.photo, KEYWORDS, (), profile)
    except MetadataError as error:
        trial.refused = str(error).replace(str(trial.photo.parent) + "/", "")
        return
    trial.change = change
    name = change.target.name
    (work / "after" / trial.folder / name).write_bytes(change.after)
    again = plan_file_change(work / "after" / trial.folder / trial.photo.name, KEYWORDS, (), profile)
    trial.check(not again.changes, "a second write changes it again")
    trial.check(_undone(change) == (change.before or b""), "cannot be undone")
    added = Added.from_json(change.added.to_json())
    back = revert(change.after, name, added)
    target = work / "back" / trial.folder / name
    if change.creates:
        trial.check(back is None or read_keywords(trial.photo).keywords == trial.before, "the new sidecar stays")
        target.unlink(missing_ok=True)
    else:
        trial.check(back is not None, "nothing is left after taking out")
        target.write_bytes(back or b"")
        if name.lower().endswith(".xmp"):
            trial.check(back == change.before, "the sidecar is not byte for byte as it was")


def _undone(change: FileChange) -> bytes | None:
    try:
        return apply_edits(change.after, invert_edits(change.edits))
    except MetadataError:
        return None


def _compare(
    trial: Trial,
    change: FileChange,
    work: Path,
    tags: dict[str, dict[str, dict[str, Any]]],
    previews: dict[str, dict[str, dict[str, Any]]],
    witnessed: dict[str, dict[str, dict[str, set[str]]]],
) -> None:
    key = f"{trial.folder}/{change.target.name}"
    photo_key = f"{trial.folder}/{trial.photo.name}"
    start = tags["before"].get(photo_key if change.creates else key, {})
    after = tags["after"].get(key, {})
    _check_keywords(trial, change, start, after)
    exiv2_before = witnessed["before"].get(key)  # exiv2 cannot read every file: then it is no witness
    blind = exiv2_before is None or (not any(exiv2_before) and any(name.startswith("XMP-") for name in start))
    if change.creates or not blind:
        _check_exiv2(trial, witnessed["after"].get(key, {}))
    now = read_keywords(work / "after" / trial.folder / trial.photo.name).keywords
    trial.check(now - trial.before == set(KEYWORDS), f"Keywright reads {sorted(map(str, now - trial.before))} more")
    trial.check(trial.before <= now, f"Keywright misses {sorted(map(str, trial.before - now))}")
    if not change.creates:
        _check_tags(trial, start, after, "changed")
        back = tags["back"].get(key, {})
        _check_tags(trial, start, back, "not as it was after taking out", all_fields=True)
        for state in ("after", "back"):
            same = _hashes(previews["before"].get(key, {})) == _hashes(previews[state].get(key, {}))
            trial.check(same, f"a preview is another ({state})")
        if change.target == trial.photo:
            trial.check(_picture(change.before or b"") == _picture(change.after), "the picture is another")


def _check_keywords(trial: Trial, change: FileChange, start: dict[str, Any], after: dict[str, Any]) -> None:
    for name, new in FIELDS.items():
        had, has = _list(start.get(name)), _list(after.get(name))
        if name == "IPTC:Keywords":
            had, has = _utf8(had), _utf8(has)
        if name == "IFD0:XPKeywords":
            had, has = ({part for value in values for part in value.split(";")} - {""} for values in (had, has))
        if name in ALWAYS or (had and not change.creates):
            trial.check(new <= has, f"exiftool finds {sorted(has)} in {name}")
        if had and not change.creates:
            trial.check(has - had == new - had, f"exiftool finds more than was added in {name}: {sorted(has - had)}")
            trial.check(had <= has, f"{name} has lost {sorted(had - has)}")


def _check_exiv2(trial: Trial, found: dict[str, set[str]]) -> None:
    for name, exif in zip(
        ("Xmp.dc.subject", "Xmp.lr.hierarchicalSubject", "Xmp.digiKam.TagsList"), ALWAYS, strict=True
    ):
        trial.check(FIELDS[exif] <= found.get(name, set()), f"exiv2 finds {sorted(found.get(name, set()))} in {name}")


def _check_tags(
    trial: Trial, start: dict[str, Any], now: dict[str, Any], what: str, *, all_fields: bool = False
) -> None:
    for name in sorted(start.keys() | now.keys()):
        if name.startswith(_MAY_CHANGE_GROUPS) or name in _MAY_CHANGE or (name in FIELDS and not all_fields):
            continue
        if name.endswith(_PLACES):
            continue
        same = _as_extended(name, start.get(name)) == _as_extended(name, now.get(name))
        trial.check(same, f"{name} is {what}: {start.get(name)!r} {now.get(name)!r}"[:300])


def _as_extended(name: str, value: Any) -> Any:
    """A tag of a simple WebP as it is in the extended form, which it needs for XMP and which says its size twice."""
    if name == "File:FileType" and value == "WEBP":
        return "Extended WEBP"
    if name in ("RIFF:ImageWidth", "RIFF:ImageHeight") and not isinstance(value, list):
        return [value, value]
    return value


def _list(value: Any) -> set[str]:
    if value is None:
        return set()
    return {unicodedata.normalize("NFC", str(entry)) for entry in (value if isinstance(value, list) else [value])} - {
        ""
    }


def _utf8(entries: set[str]) -> set[str]:
    """Entries that exiftool took for Latin because digiKam does not declare its UTF-8, as they are meant."""
    meant = set()
    for entry in entries:
        try:
            meant.add(entry.encode("cp1252").decode("utf-8"))
        except UnicodeError:
            meant.add(entry)
    return meant


def _hashes(previews: dict[str, Any]) -> dict[str, str]:
    return {
        name: hashlib.sha256(str(value).encode()).hexdigest()
        for name, value in previews.items()
        if not name.startswith(("SourceFile", "ExifTool"))
    }


def _picture(data: bytes) -> str:
    """A hash of the picture: the decoded pixels, and of a JPEG the compressed data to its end as well."""
    from PIL import Image

    compressed = ""
    if data.startswith(b"\xff\xd8"):
        from keywright.metadata import jpeg

        last = 2
        for segment in jpeg.segments(io.BytesIO(data)):
            last = segment.end
        compressed = hashlib.sha256(data[last:]).hexdigest()

    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            return compressed + hashlib.sha256(image.tobytes()).hexdigest()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return compressed + "not decodable"


def _exiftool(folder: Path, *options: str) -> dict[str, dict[str, Any]]:
    """The tags of every file under a folder, by "folder/name"."""
    command = ["exiftool", "-j", "-G1:4", "-a", "-s", "-struct", "-u", "-n", "-r", "-q", "-q", "-m", "-ee"]
    command += ["-ext", "*", *options, str(folder)]
    done = subprocess.run(command, capture_output=True, check=False)
    rows = json.loads(done.stdout or b"[]", parse_int=str, parse_float=str)
    return {str(Path(row["SourceFile"]).relative_to(folder).as_posix()): _merged(row) for row in rows}


def _merged(row: dict[str, Any]) -> dict[str, Any]:
    """Tags of one name together, in order: exiftool numbers them through the whole file."""
    merged: dict[str, list[Any]] = {}
    for name, value in row.items():
        merged.setdefault(_COPY.sub(":", name), []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in merged.items()}


def _exiv2(files: Sequence[Path]) -> dict[str, dict[str, set[str]]]:
    """exiv2's idea of the keyword fields, by "folder/name"."""
    found: dict[str, dict[str, set[str]]] = {}
    for file in files:
        done = subprocess.run(["exiv2", "-PXkt", "pr", str(file)], capture_output=True, check=False)
        if b"exception" in done.stderr:
            continue
        text = unicodedata.normalize("NFC", done.stdout.decode("utf-8", "replace"))
        fields: dict[str, set[str]] = {}
        for line in text.splitlines():
            name, _, value = line.partition(" ")
            fields.setdefault(name, set()).update(_known(value.strip()))
        found[f"{file.parent.name}/{file.name}"] = fields
    return found


def _known(value: str) -> set[str]:
    """The entries looked for that stand in exiv2's comma-separated list."""
    entries = f", {value},"
    return {wanted for new in FIELDS.values() for wanted in new if f", {wanted}," in entries}


def table(report: Report) -> str:
    """The result as text for a terminal."""
    by_suffix: dict[str, Counter[str]] = {}
    for trial in report.trials:
        row = by_suffix.setdefault(trial.source.suffix.lower(), Counter())
        row["tried"] += 1
        if trial.change is not None:
            row["sidecar" if trial.change.target != trial.photo else "embedded"] += 1
        row["refused"] += bool(trial.refused)
        row["damaged"] += bool(trial.damage)
    columns = ("tried", "embedded", "sidecar", "refused", "damaged")
    lines = [f"{'kind':10}" + "".join(f"{column:>10}" for column in columns)]
    for suffix, row in sorted(by_suffix.items()):
        lines.append(f"{suffix:10}" + "".join(f"{row[column]:>10}" for column in columns))
    total = sum(by_suffix.values(), Counter())
    lines.append(f"{'all':10}" + "".join(f"{total[column]:>10}" for column in columns))
    lines += ["", *(f"refused  {trial.source.name}: {trial.refused}" for trial in report.refused)]
    lines += [f"DAMAGED  {trial.source}: {problem}" for trial in report.damaged for problem in trial.damage[:6]]
    return "\n".join(lines)


def collect(folders: Iterable[Path]) -> list[Path]:
    """The photos, videos and sidecars under some folders (or files named themselves)."""
    skipped = {".csv", ".md", ".aae", ".pdf", ".eps"}
    files: list[Path] = []
    for folder in folders:
        files += [folder] if folder.is_file() else [file for file in folder.rglob("*") if file.is_file()]
    return sorted(file for file in files if file.suffix.lower() not in skipped)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--json", action="store_true", help="one JSON document instead of the table")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as work:
        report = run(collect(options.folders), Path(work))
    if options.json:
        print(
            json.dumps(
                {
                    "tried": len(report.trials),
                    "written": len(report.written),
                    "refused": {str(trial.source): trial.refused for trial in report.refused},
                    "damaged": {str(trial.source): trial.damage for trial in report.damaged},
                }
            )
        )
    else:
        print(table(report))
    return 1 if report.damaged else 0


if __name__ == "__main__":
    sys.exit(main())
