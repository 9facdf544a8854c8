"""`make demo`: the whole job on the sample library, each step by the command a user would type."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from demo.library import make_library
from keywright.cli.output import percent

FOLDER = Path(".demo")
LIBRARY = FOLDER / "library"
BOLD, PLAIN = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")


def say(text: str) -> None:
    print(f"\n{BOLD}{text}{PLAIN}", flush=True)


def keywright(*arguments: str, quiet: bool = False) -> str:
    """Run a keywright command as a user would, showing it and what it prints; ends the demo where it fails."""
    print(f"$ keywright {shlex.join(arguments)}", flush=True)
    command = [sys.executable, "-c", "from keywright.cli import main; main()", *arguments]
    home = os.environ | {"KEYWRIGHT_HOME": str((FOLDER / "home").absolute())}
    done = subprocess.run(command, env=home, text=True, stdout=subprocess.PIPE if quiet else None, check=False)
    if done.returncode:
        sys.exit(f"demo: `keywright {shlex.join(arguments)}` failed with exit status {done.returncode}")
    return done.stdout or ""


def show_suggestions(text: str) -> dict[Path, list[str]]:
    """The suggestions as a table; gives the keywords by photo."""
    found = {}
    print(f"\n  {'photo':<34} {'suggestion':<28} {'confidence':>10}   looks like")
    for line in text.splitlines():
        photo = json.loads(line)
        path = Path(photo["path"])
        for n, suggestion in enumerate(photo["suggestions"]):
            name = str(path.relative_to(LIBRARY.absolute())) if n == 0 else ""
            like = ", ".join(Path(b["path"]).name for b in suggestion["because"][:2])
            print(f"  {name:<34} {suggestion['keyword']:<28} {percent(suggestion['confidence']):>10}   {like}")
        if photo["suggestions"]:
            found[path] = [s["keyword"] for s in photo["suggestions"]]
    return found


def show_keywords(photo: Path) -> None:
    """What exiftool reads in the file (Keywright's own reader where exiftool is not installed)."""
    if shutil.which("exiftool"):
        command = [
            "exiftool",
            "-s",
            "-XMP-dc:Subject",
            "-XMP-lr:HierarchicalSubject",
            "-XMP-digiKam:TagsList",
            str(photo),
        ]
        print(f"$ {shlex.join(command)}", flush=True)
        told = subprocess.run(command, text=True, capture_output=True, check=True).stdout
        print(told if told.strip() else "  (no keywords)\n", end="", flush=True)
        return
    from keywright.metadata import read_keywords

    names = sorted(str(k) for k in read_keywords(photo).keywords)
    print(f"  {photo.name}: {', '.join(names) or '(no keywords)'}   (exiftool is not installed)", flush=True)


def main() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    tagged, bare = make_library(LIBRARY)
    say(f"1. A sample library in {LIBRARY}: {tagged} photographs with keywords, {bare} without any")
    library = str(LIBRARY)

    say("2. Learn: read the keywords, look at the photos, train a model for each keyword")
    keywright("learn", library)

    say("3. Suggest: keywords for the photos that lack them, surest first")
    suggestions = show_suggestions(keywright("suggest", library, "--json", "--limit", "3", quiet=True))
    if not suggestions:
        sys.exit("demo: no suggestions were made; please report this")

    say("4. Dry run: what would be written, and nothing is")
    keywright("apply", library, "--min-confidence", "0.5", "--dry-run")

    photo = next(iter(suggestions))
    say("5. Before")
    show_keywords(photo)
    say("6. Apply: the suggestions with a confidence of 50 % or more are accepted and written as XMP")
    keywright("apply", library, "--min-confidence", "0.5")
    say("7. After")
    show_keywords(photo)

    say("8. Undo: exactly what was written is taken out again")
    keywright("undo")
    show_keywords(photo)
    keywright("history")

    say("Your own photos:")
    print(
        "  .venv/bin/keywright learn  ~/Pictures/Lightroom/MyCatalog.lrcat   (or digikam4.db, or a folder of photos)\n"
        "  .venv/bin/keywright suggest ~/Pictures/2024\n"
        "  .venv/bin/keywright apply   ~/Pictures/2024 --min-confidence 0.9 --dry-run"
    )


if __name__ == "__main__":
    main()
