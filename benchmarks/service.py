"""The bridge under load: 16 clients asking for suggestions while an embedding job runs; memory over many requests.

    python -m benchmarks.service [--clients 16] [--requests 2000] [--fresh 640] [--steady 20000] [--photos 3000]

Makes a sample library of real photographs, learns it, and starts a real bridge in a process of its own. The embedding
job is given a few thousand further photos (crops of the same photographs), so that it lasts as long as the requests.
``--fresh`` photos, crops too, are embedded before and then asked for once each: what is asked for again is answered
from memory. The processor time is the bridge's own.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from demo.library import make_library
from PIL import Image

from keywright_plugin import Client, Connection, find_bridge
from keywright_plugin.values import Photo, PhotoRef


def resident(pid: int) -> float:
    """Megabytes of memory a process holds."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


def processor(pid: int) -> float:
    """Seconds of processor time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def start(home: Path) -> tuple[subprocess.Popen[bytes], Connection, float]:
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "keywright", "serve"],
        env=os.environ | {"KEYWRIGHT_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while (found := find_bridge(home)) is None:
        time.sleep(0.01)
    return process, found[0], time.perf_counter() - begun


def more_photos(library: Path, target: Path, count: int, seed: int) -> None:
    """Crops of the library's photographs, each another picture."""
    rng, sources = random.Random(seed), sorted(library.rglob("*.jpg"))
    target.mkdir()
    for number in range(count):
        with Image.open(rng.choice(sources)) as opened:
            width, height = opened.size
            left, top = rng.randrange(width // 4), rng.randrange(height // 4)
            opened.crop((left, top, left + width * 3 // 4, top + height * 3 // 4)).save(
                target / f"{number:05d}.jpg", quality=85
            )


def ask(connection: Connection, asked: Sequence[Sequence[int]], taken: list[float], lost: list[str]) -> None:
    """One client: the same connection kept, these photos one request after the other."""
    line = http.client.HTTPConnection(connection.host, connection.port, timeout=30)
    headers = {"Authorization": f"Bearer {connection.token}", "Content-Type": "application/json"}
    for photos in asked:
        body = json.dumps({"photos": photos})
        begun = time.perf_counter()
        try:
            line.request("POST", "/v1/suggestions", body, headers)
            answer = line.getresponse()
            told = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            lost.append(str(error))
            line.close()
            continue
        taken.append(time.perf_counter() - begun)
        if (
            answer.status != 200
            or len(told["photos"]) != len(photos)
            or any(p["state"] != "ready" for p in told["photos"])
        ):
            lost.append(f"{answer.status}")
    line.close()


def load(connection: Connection, clients: int, asked: Sequence[Sequence[int]]) -> tuple[list[float], list[str]]:
    """All these requests, by so many clients at once; each asks again as soon as it is answered."""
    taken: list[float] = []
    lost: list[str] = []
    threads = [
        threading.Thread(target=ask, args=(connection, asked[number::clients], taken, lost))
        for number in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken, lost


def some(ids: Sequence[int], requests: int) -> list[list[int]]:
    rng = random.Random(requests)
    return [[rng.choice(ids)] for _ in range(requests)]


def shown(name: str, taken: list[float], lost: list[str]) -> None:
    ordered = sorted(taken)
    at = {share: 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.95, 0.99)}
    print(
        f"{name}: {len(taken)} answers, {len(lost)} lost; median {at[0.5]:.0f} ms, 95 % within {at[0.95]:.0f} ms, "
        f"99 % within {at[0.99]:.0f} ms, mean {1000 * statistics.mean(taken):.1f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--fresh", type=int, default=640)
    parser.add_argument("--steady", type=int, default=20_000)
    parser.add_argument("--photos", type=int, default=3000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), chosen)


def measure(top: Path, chosen: argparse.Namespace) -> None:
    make_library(top / "library")
    more_photos(top / "library", top / "more", chosen.photos, seed=7)
    more_photos(top / "library", top / "fresh", chosen.fresh, seed=8)
    process, connection, _ = start(top / "home")
    client = Client(connection)
    client.wait(client.add_catalog(str(top / "library")).job or 0)
    client.wait(client.add_catalog(str(top / "fresh"), learn=False).job or 0)
    process.terminate()
    process.wait(30)

    process, connection, seconds = start(top / "home")
    print(f"start: {seconds:.2f} s until it answers; {resident(process.pid):.0f} MB idle")
    client = Client(connection)
    ids = known(client, top / "library")
    fresh = known(client, top / "fresh")
    client.suggest(ids)
    print(f"after the first suggestions: {resident(process.pid):.0f} MB")
    used = processor(process.pid)
    shown(
        f"{chosen.clients} clients, nothing else running", *load(connection, chosen.clients, some(ids, chosen.requests))
    )
    used = processor(process.pid) - used
    print(f"  processor time: {1000 * used / chosen.requests:.2f} ms a request")

    job = client.add_catalog(str(top / "more"), learn=False).job or 0
    while client.job(job).stage != "Embedding photos":
        time.sleep(0.1)
    taken, lost = load(connection, chosen.clients, some(ids, chosen.requests))
    now = client.job(job)
    shown(f"{chosen.clients} clients, an embedding job at {now.done} of {now.total} when they were done", taken, lost)
    used = processor(process.pid)
    taken, lost = load(connection, chosen.clients, [[one] for one in fresh])
    used = processor(process.pid) - used
    now = client.job(job)
    shown(f"  photos asked for the first time, the job at {now.done} when they were done", taken, lost)
    print(f"  processor time: {1000 * used / len(fresh):.2f} ms a request")
    client.cancel(job)
    client.wait(job)

    before = resident(process.pid)
    for part in range(4):
        taken, lost = load(connection, chosen.clients, some(ids, chosen.steady // 4))
        print(
            f"after {(part + 1) * chosen.steady // 4} requests: {resident(process.pid):.0f} MB (before: {before:.0f})"
        )
        shown("  those", taken, lost)
    process.terminate()
    process.wait(30)


def known(client: Client, folder: Path) -> list[int]:
    named = [PhotoRef(path=str(path)) for path in sorted(folder.rglob("*.jpg"))]
    return [one.id for one in client.find_photos(named) if isinstance(one, Photo)]


if __name__ == "__main__":
    main()
