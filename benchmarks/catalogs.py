"""How fast catalogs are read, against the bare SQL that fetches the same rows, and how much memory it takes.

    python benchmarks/catalogs.py digikam [--images 300000] [--tags 3000]
    python benchmarks/catalogs.py lightroom [--photos 200000] [--keywords 2000]
    python benchmarks/catalogs.py folder FOLDER

The databases are generated in the real schemas, which are read from ../shared/catalogs. Each measurement runs in a
process of its own, the rounds of both sides take turns, and the best round of each counts. Seconds are those of the
processor, so that what else runs on the machine disturbs the comparison less.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
BARE = {
    "digikam": """
        SELECT i.id, r.identifier, r.specificPath, a.relativePath, i.name, i.category, d.creationDate, t.tagid
        FROM Images i JOIN Albums a ON a.id = i.album JOIN AlbumRoots r ON r.id = a.albumRoot
        LEFT JOIN ImageInformation d ON d.imageid = i.id LEFT JOIN ImageTags t ON t.imageid = i.id
        WHERE i.status IN (1, 2) AND i.category IN (1, 2) ORDER BY i.id""",
    "lightroom": """
        SELECT i.id_global, r.absolutePath, o.pathFromRoot, f.idx_filename, i.masterImage, i.pick, i.captureTime,
               i.fileFormat, k.tag
        FROM Adobe_images i JOIN AgLibraryFile f ON f.id_local = i.rootFile
        JOIN AgLibraryFolder o ON o.id_local = f.folder JOIN AgLibraryRootFolder r ON r.id_local = o.rootFolder
        LEFT JOIN AgLibraryKeywordImage k ON k.image = i.id_local ORDER BY i.id_local""",
}


def make_digikam(out: Path, images: int, tags: int) -> None:
    """A digiKam database over no photos: 3,000 tags in a tree of three levels, some photos with up to ten."""
    real = sqlite3.connect(f"file:{SHARED}/catalogs/digikam/sqlite-9.1.0/digikam4.db?immutable=1", uri=True)
    schema = real.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'").fetchall()
    settings = real.execute("SELECT keyword, value FROM Settings").fetchall()
    real.close()
    db = sqlite3.connect(out)
    for (statement,) in schema:
        db.execute(statement)
    db.executemany("INSERT INTO Settings VALUES (?, ?)", settings)
    db.execute(
        "INSERT INTO AlbumRoots(id, label, status, type, identifier, specificPath)"
        " VALUES (1, 'Photos', 0, 1, 'volumeid:?path=/photos', '/')"
    )
    albums = max(1, images // 150)
    db.executemany(
        "INSERT INTO Albums(id, albumRoot, relativePath) VALUES (?, 1, ?)",
        ((n + 1, f"/{1990 + n % 35}/Trip {n:05d}") for n in range(albums)),
    )
    chance = random.Random(1)
    db.executemany(
        "INSERT INTO Tags(id, pid, name) VALUES (?, ?, ?)",
        ((n, 0 if n <= 40 else chance.randint(1, min(n - 1, 400)), f"Keyword {n:04d}") for n in range(1, tags + 1)),
    )
    weights = [1 / n for n in range(1, tags + 1)]
    for start in range(1, images + 1, 20_000):
        some = range(start, min(start + 20_000, images + 1))
        db.executemany(
            "INSERT INTO Images(id, album, name, status, category) VALUES (?, ?, ?, 1, 1)",
            ((n, 1 + n % albums, f"IMG_{n:07d}.JPG") for n in some),
        )
        db.executemany(
            "INSERT INTO ImageInformation(imageid, rating, creationDate) VALUES (?, -1, ?)",
            ((n, f"20{n % 25:02d}-{1 + n % 12:02d}-{1 + n % 28:02d}T12:{n % 60:02d}:00.000") for n in some),
        )
        counts = chance.choices((0, 1, 2, 3, 4, 6, 10), (20, 15, 20, 20, 15, 7, 3), k=len(some))
        db.executemany(
            "INSERT OR IGNORE INTO ImageTags(imageid, tagid) VALUES (?, ?)",
            (
                (n, tag)
                for n, count in zip(some, counts, strict=True)
                for tag in chance.choices(range(1, tags + 1), weights, k=count)
            ),
        )
    db.commit()
    db.close()


def make_lightroom(out: Path, photos: int, keywords: int) -> None:
    tool = SHARED / "tools" / "make_lrcat.py"
    command = [sys.executable, str(tool), str(out), "--scale", str(photos), "--keywords", str(keywords)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def bare(path: Path, sql: str) -> dict[str, float]:
    """Every row of the one statement, fetched and dropped."""
    start = time.process_time()
    db = sqlite3.connect(f"file:{path}?immutable=1", uri=True)
    rows = sum(1 for _ in db.execute(sql))
    return {"seconds": time.process_time() - start, "count": rows}


def reader(source: str) -> dict[str, float]:
    """Everything a catalog gives, iterated and dropped."""
    from keywright.catalogs import open_catalog

    start = time.process_time()
    with open_catalog(source) as catalog:
        keywords = len(catalog.keywords())
        photos = sum(1 for _ in catalog.photos())
        return {"seconds": time.process_time() - start, "count": photos, "keywords": keywords}


def peak_mib() -> float:
    """The most memory this process has held. Linux and macOS; they count in different units."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def in_a_process(*arguments: str) -> dict[str, float]:
    done = subprocess.run([sys.executable, __file__, "--one", *arguments], check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def compare(kind: str, path: Path, rounds: int) -> None:
    sides: dict[str, list[dict[str, float]]] = {"bare": [], "reader": []}
    for _ in range(rounds):
        for side, found in sides.items():
            found.append(in_a_process(side, kind, str(path)))
    best = {side: min(found, key=lambda one: one["seconds"]) for side, found in sides.items()}
    ratio = best["reader"]["seconds"] / best["bare"]["seconds"]
    print(f"{kind}: {best['reader']['count']:,.0f} photos, {best['reader']['keywords']:,.0f} keywords")
    print(
        f"  bare SQL  {best['bare']['seconds']:6.2f} s  {best['bare']['peak']:6.0f} MiB"
        f"  {best['bare']['count']:,.0f} rows"
    )
    print(f"  reader    {best['reader']['seconds']:6.2f} s  {best['reader']['peak']:6.0f} MiB  ratio {ratio:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", nargs="?", choices=("digikam", "lightroom", "folder"))
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--images", "--photos", type=int, dest="photos")
    parser.add_argument("--tags", "--keywords", type=int, dest="keywords")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="make the database here, or use the one that is there")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        side, kind, path = args.one
        found = bare(Path(path), BARE[kind]) if side == "bare" else reader(path)
        print(json.dumps({**found, "peak": peak_mib()}))
    elif args.kind == "folder":
        found = in_a_process("reader", "folder", str(args.folder))
        print(
            f"folder: {found['count']:,.0f} photos, {found['keywords']:,.0f} keywords,"
            f" {found['count'] / found['seconds']:,.0f} photos/s, {found['peak']:.0f} MiB"
        )
    elif args.kind:
        with tempfile.TemporaryDirectory() as scratch:
            path = args.keep or Path(scratch, "catalog.db")
            if not path.exists():
                if args.kind == "digikam":
                    make_digikam(path, args.photos or 300_000, args.keywords or 3_000)
                else:
                    make_lightroom(path, args.photos or 200_000, args.keywords or 2_000)
            compare(args.kind, path, args.rounds)
    else:
        parser.print_help()


if __name__ == "__main__":
    main()
