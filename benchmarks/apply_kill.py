"""Kills ``apply`` (and now and then ``undo``) with SIGKILL at random moments, and counts the harm: it must be none.

    python benchmarks/apply_kill.py                       1,000 photos, 50 kills
    python benchmarks/apply_kill.py --photos FOLDER       over copies of the JPEGs in a folder of yours
    python benchmarks/apply_kill.py --count 200 --kills 5

The photos are crops of the photographs in scikit-image and scikit-learn (or copies of yours): six in ten are JPEGs
written to directly, half of them with an XMP packet already; four in ten are raw files, half of them with a sidecar
that another program made. After every kill each file is compared, byte for byte, with what it was and with what it
would have become; then Keywright starts again (recover), and undo must give back every byte. Exits with 1 where
anything was harmed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from keywright.home import Home
from keywright.keywords import KeywordPath
from keywright.metadata import plan_file_change
from keywright.store.database import Store
from keywright.writeback import AcceptedKeyword, Journal, PhotoDecisions, apply, file_targets, history, recover, undo

ADDED = (KeywordPath.of("Animals", "Dog"), KeywordPath.of("Places", "Île-d'Orléans"))
THERE = KeywordPath.of("Holidays", "1964")


@dataclass(slots=True)
class Tally:
    kills: int = 0
    damaged: int = 0  # a file that is neither what it was nor what it was to become
    half_written: int = 0  # of them, those that are a beginning of the new content
    beside: int = 0  # unfinished files found beside photos after a kill
    beside_left: int = 0  # of them, still there after the next start
    finished: int = 0  # photos that were new after the kill
    rolled_back: int = 0  # photos that were old
    undo_kills: int = 0
    undo_unequal: int = 0  # files that undo did not give back byte for byte
    unsettled: int = 0  # batches still open after the next start

    @property
    def harm(self) -> int:
        return self.damaged + self.half_written + self.beside_left + self.undo_unequal + self.unsettled


def open_journal(home: Path) -> Journal:
    return Journal(Store.open(Home(home)))


def sources(chosen: Path | None) -> Iterator[bytes]:
    """JPEG files as bytes, for ever: the user's, or crops of packaged photographs."""
    if chosen is not None:
        files = sorted(path for path in chosen.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
        if not files:
            sys.exit(f"There are no JPEGs in {chosen}.")
        while True:
            for file in files:
                yield file.read_bytes()
    import io

    from PIL import Image
    from skimage import data
    from sklearn.datasets import load_sample_images

    pictures = [data.astronaut(), data.chelsea(), data.coffee(), data.rocket(), *load_sample_images().images]
    chance = random.Random(1)
    while True:
        for picture in pictures:
            height, width = picture.shape[:2]
            x, y = chance.randrange(width // 4), chance.randrange(height // 4)
            crop = Image.fromarray(picture).crop((x, y, x + width * 3 // 4, y + height * 3 // 4))
            stream = io.BytesIO()
            crop.resize((1200, 900)).save(stream, "JPEG", quality=92)
            yield stream.getvalue()


def make_library(folder: Path, count: int, chosen: Path | None) -> None:
    folder.mkdir()
    for number, jpeg in zip(range(count), sources(chosen), strict=False):
        if number % 10 < 6:
            photo = folder / f"IMG_{number:05}.jpg"
            photo.write_bytes(jpeg)
        else:
            photo = folder / f"IMG_{number:05}.nef"
            photo.write_bytes(b"II*\0" + jpeg[:5000])
        if number % 2:
            change = plan_file_change(photo, [THERE])
            change.target.write_bytes(change.after)


def photos_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in (".jpg", ".nef"))


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def act(what: str, home: Path, folder: Path) -> None:
    """What the process that is killed does."""
    journal = open_journal(home)
    add = tuple(AcceptedKeyword(path, 0.9) for path in ADDED)
    decisions = [PhotoDecisions(photo, add) for photo in photos_in(folder)]
    print("begin", flush=True)
    if what == "apply":
        apply(decisions, journal, file_targets())
    else:
        undo(None, journal, file_targets())


def run(what: str, home: Path, folder: Path, kill_after: float | None) -> float:
    """Start the process and kill it so many seconds after it has begun; the seconds it ran."""
    command = [sys.executable, __file__, "--act", what, "--work", str(home), str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    begun = time.monotonic()
    try:
        process.wait(kill_after)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    seconds = time.monotonic() - begun
    process.stdout.close()
    if kill_after is None and process.returncode != 0:
        sys.exit(f"{what} failed when it was left alone.")
    return seconds


def is_beginning(path: Path, new: Path) -> bool:
    data = path.read_bytes()
    return new.is_file() and new.read_bytes().startswith(data)


def count_harm(tally: Tally, folder: Path, old: dict[str, str], new: dict[str, str], written: Path) -> int:
    """Compare every file; how many are new."""
    now = {name: one for name, one in digests(folder).items() if not name.startswith(".keywright-")}
    for name in {*old, *new, *now}:
        if now.get(name) in (old.get(name), new.get(name)):
            continue
        tally.damaged += 1
        print(f"  DAMAGED {name}", flush=True)
        if name in now and is_beginning(folder / name, written / name):
            tally.half_written += 1
    return sum(now.get(name) == new.get(name) != old.get(name) for name in {*old, *new})


def beside(folder: Path) -> int:
    return sum(path.name.startswith(".keywright-") for path in folder.iterdir())


def exiftool_agrees(folder: Path) -> str:
    """Whether exiftool reads our keywords in every photo or sidecar that was written."""
    if shutil.which("exiftool") is None:
        return "not asked (exiftool is not installed)"
    command = ["exiftool", "-j", "-q", "-struct", "-ext", "jpg", "-ext", "xmp", "-HierarchicalSubject", str(folder)]
    answer = json.loads(subprocess.run(command, capture_output=True, check=False).stdout)
    wanted = {str(path) for path in ADDED}
    good = sum(wanted <= {str(v) for v in _listed(one.get("HierarchicalSubject"))} for one in answer)
    files = sum(path.suffix in (".jpg", ".xmp") for path in folder.iterdir())
    return f"{good} of {files} files hold them"


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def torture(work: Path, count: int, kills: int, chosen: Path | None, seed: int) -> Tally:
    folder, home, written = work / "photos", work / "home", work / "written"
    make_library(folder, count, chosen)
    old = digests(folder)
    whole = run("apply", home, folder, None)
    new = digests(folder)
    print(f"{count} photos written without a kill in {whole:.1f} s ({whole / count * 1000:.1f} ms each)")
    print(f"exiftool on the keywords written: {exiftool_agrees(folder)}")
    shutil.copytree(folder, written)
    back = run("undo", home, folder, None)
    tally = Tally(undo_unequal=sum(old.get(n) != d for n, d in digests(folder).items()))
    print(f"undone in {back:.1f} s")
    chance = random.Random(seed)
    journal = open_journal(home)
    while tally.kills < kills:
        shortly = chance.uniform(0, whole)
        if run("apply", home, folder, shortly) < shortly:
            undo(None, journal, file_targets())  # it was done sooner than it could be killed
            continue
        tally.kills += 1
        new_ones = count_harm(tally, folder, old, new, written)
        tally.finished += new_ones
        tally.rolled_back += count - new_ones
        tally.beside += beside(folder)
        for report in recover(journal, file_targets()):
            print(f"{tally.kills:3}  killed after {shortly:5.2f} s: {report}", flush=True)
        tally.beside_left += beside(folder)
        count_harm(tally, folder, old, new, written)
        if tally.kills % 5 == 0:
            run("undo", home, folder, chance.uniform(0, back))
            tally.undo_kills += 1
            count_harm(tally, folder, old, new, written)
            recover(journal, file_targets())
        if any(batch.written for batch in history(journal) if batch.kind == "apply"):
            undo(None, journal, file_targets())
        now = digests(folder)
        tally.undo_unequal += sum(now.get(name) != old.get(name) for name in {*old, *now})
        tally.unsettled += sum(batch.state == "open" for batch in history(journal))
    return tally


def show(tally: Tally) -> None:
    rows = [
        ("kills during apply", tally.kills),
        ("kills during undo", tally.undo_kills),
        ("files damaged", tally.damaged),
        ("files half written", tally.half_written),
        ("photos found written", tally.finished),
        ("photos found as before", tally.rolled_back),
        ("unfinished files beside them", tally.beside),
        ("of these left after the next start", tally.beside_left),
        ("batches left open", tally.unsettled),
        ("files not byte for byte as before after undo", tally.undo_unequal),
    ]
    print("\n| | |\n| --- | ---: |")
    for name, number in rows:
        print(f"| {name} | {number:,} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, help="take copies of the JPEGs in this folder")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--act", choices=("apply", "undo"), help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.act:
        act(chosen.act, *chosen.work)
        return
    with tempfile.TemporaryDirectory(prefix="keywright-kill-") as work:
        tally = torture(Path(work), chosen.count, chosen.kills, chosen.photos, chosen.seed)
    show(tally)
    sys.exit(1 if tally.harm else 0)


if __name__ == "__main__":
    main()
