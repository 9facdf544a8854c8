"""Killed without warning, again and again, during each kind of job: the next start carries on, and nothing that was
acknowledged is lost. KEYWRIGHT_KILLS says how often (2); docs/service.md has the figures for 20."""

from __future__ import annotations

import io
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PIL import Image

from describing.server import keywords, serving
from keywright.describing.providers import Kind, Provider
from keywright.home import Home
from keywright.metadata import read_keywords
from keywright.operations.describing import add
from keywright.operations.workspace import Workspace
from keywright_plugin import Client, find_bridge
from keywright_plugin.values import DecisionMade, Job, Photo, PhotoRef
from service.conftest import Learned

KILLS = int(os.environ.get("KEYWRIGHT_KILLS", "2"))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds the worker through Linux's /proc"),
]


@dataclass
class Victim:
    """A bridge in a process of its own, which is killed with its worker and started again."""

    home: Path
    process: subprocess.Popen[bytes] | None = None
    kills: int = 0
    pids: list[int] = field(default_factory=list)

    def start(self) -> Client:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "keywright", "serve"],
            env=os.environ | {"KEYWRIGHT_HOME": str(self.home)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 120  # on a machine that is busy with other work
        while time.monotonic() < deadline:
            found = find_bridge(self.home)
            if found is not None and found[0].pid == self.process.pid:
                return Client(found[0])
            time.sleep(0.02)
        raise AssertionError("the bridge did not come up")

    def kill(self, *, worker_too: bool) -> None:
        assert self.process is not None
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split() if worker_too else []
        self.process.kill()
        for child in children:
            try:
                os.kill(int(child), signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait(30)
        self.kills += 1

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)


@pytest.fixture
def victim(tmp_path: Path, learned_home: Learned) -> Iterator[Victim]:
    """Knows the library and has learned nothing of it yet; with a copy of the library that may be written into."""
    shutil.copytree(learned_home.library, tmp_path / "library")
    found = Victim(tmp_path / "home")
    yield found
    found.end()


def survive(victim: Victim, client: Client, job: int, seed: int) -> tuple[Client, Job]:
    """Kill ``KILLS`` times at random moments of a job (fewer, if it ends before), then let it end."""
    chance = random.Random(seed)
    for _ in range(KILLS):
        if client.job(job).ended:
            break
        time.sleep(chance.uniform(0.05, 2.0))
        victim.kill(worker_too=chance.random() < 0.7)
        client = victim.start()
    return client, client.wait(job)


def test_learning_and_embedding_go_on_after_every_kill(victim: Victim, tmp_path: Path) -> None:
    client = victim.start()
    catalog = client.add_catalog(str(tmp_path / "library"))
    assert catalog.job is not None
    client, job = survive(victim, client, catalog.job, seed=1)
    assert (job.state, job.error) == ("completed", None)
    assert job.result is not None
    assert job.result["photos"] == 98
    assert job.result["embedded"] + job.result["known"] == 126


def test_every_acknowledged_decision_is_there_after_every_kill(victim: Victim, tmp_path: Path) -> None:
    chance = random.Random(2)
    client = victim.start()
    client.wait(client.add_catalog(str(tmp_path / "library")).job or 0)
    ids = photos(client, tmp_path)
    acknowledged: dict[tuple[int, str], str] = {}
    for _ in range(KILLS):
        until = time.monotonic() + chance.uniform(0.1, 1.0)
        while time.monotonic() < until:
            one = DecisionMade(chance.choice(ids), f"K{chance.randrange(50)}", chance.choice(["accepted", "rejected"]))
            client.decide([one])
            acknowledged[one.photo, one.keyword] = one.decision
        victim.kill(worker_too=True)
        client = victim.start()
        assert acknowledged == decisions(client)


def test_applying_and_undoing_go_on_after_every_kill(victim: Victim, tmp_path: Path) -> None:
    library = tmp_path / "library"
    before = {path: path.read_bytes() for path in library.rglob("*.jpg")}
    client = victim.start()
    client.wait(client.add_catalog(str(library)).job or 0)
    client.decide([DecisionMade(number, "Killed|Often", "accepted") for number in photos(client, tmp_path)])

    batches = []
    for round_number in range(max(1, KILLS // 4)):
        client, job = survive(victim, client, client.apply().id, seed=3 + round_number)
        assert (job.state, job.error) == ("completed", None)
        assert all("Killed|Often" in {str(k) for k in read_keywords(path).keywords} for path in before)
        known = client.request("GET", "/v1/write-backs")["batches"]
        written = [b for b in known if b["kind"] == "apply" and b["written"]]
        batches += [b["id"] for b in written]
        for batch in written:
            client, job = survive(victim, client, client.undo(batch["id"]).id, seed=50 + round_number)
            assert job.state == "completed" or "nothing" in str(job.error).lower(), job
        assert {path: path.read_bytes() for path in before} == before
        if victim.kills >= 2 * KILLS:
            break
    assert batches
    assert not list(library.rglob("*.keywright*"))


@pytest.fixture
def learned_victim(tmp_path: Path, learned_home: Learned) -> Iterator[Victim]:
    """Has learned the library, into which nothing may be written."""
    shutil.copytree(learned_home.home, tmp_path / "home")
    found = Victim(tmp_path / "home")
    yield found
    found.end()


def killed_each_time(victim: Victim, begin: Callable[[Client], int], seed: int) -> Iterator[tuple[Client, Job]]:
    """``KILLS`` times: begin a job, kill at some moment of it (the worker starts in the first second), and let the next
    bridge end it. Gives that bridge's client and the job."""
    chance = random.Random(seed)
    client = victim.start()
    for _ in range(KILLS):
        job = begin(client)
        time.sleep(chance.uniform(0.0, 3.0))
        victim.kill(worker_too=chance.random() < 0.7)
        client = victim.start()
        ended = client.wait(job)
        while client.jobs("pending") or client.jobs("processing"):  # what the job asked for goes on as well
            time.sleep(0.1)
        assert not client.jobs("failed")
        yield client, ended
    assert victim.kills == KILLS


def test_a_photo_whose_host_sent_a_rendition_gets_its_vector_after_every_kill(
    learned_victim: Victim, learned_home: Learned, tmp_path: Path
) -> None:
    home, chance = learned_victim.home, random.Random(4)
    away = tmp_path / "away"
    away.mkdir()
    picture = Image.open(learned_home.library / "2023/At home/CHEL_0009.jpg")
    for number in range(KILLS):
        Image.new("RGB", (8, 8)).save(away / f"{number}.jpg")
    sent: list[int] = []

    def begin(client: Client) -> int:
        client.wait(client.add_catalog(str(away), learn=False, embed=False).job or 0)
        named = [PhotoRef(path=str(away / f"{len(sent)}.jpg"))]
        (photo,) = (one for one in client.find_photos(named) if isinstance(one, Photo))
        (away / f"{len(sent)}.jpg").unlink()  # the host alone can read it
        sent.append(photo.id)
        left = chance.randrange(picture.width // 8)
        jpeg = io.BytesIO()
        picture.crop((left, 0, left + picture.width * 3 // 4, picture.height)).save(jpeg, "JPEG")
        return client.send_rendition(photo.id, jpeg.getvalue())

    for client, job in killed_each_time(learned_victim, begin, seed=5):
        assert (job.state, job.error) == ("completed", None)
        assert client.suggest([sent[-1]]).photos[0].state == "ready"
    assert list((home / "cache").rglob("renditions/*")) == []


def test_describing_goes_on_after_every_kill_and_asks_for_no_answer_twice_that_it_kept(
    learned_victim: Victim, learned_home: Learned
) -> None:
    named = [PhotoRef(path=str(path)) for path in sorted(learned_home.library.rglob("*.jpg"))]
    with serving(keywords(cat=0.9)) as server:
        told = Provider("vision", Kind.OPENAI, server.url + "/v1", "llava:7b", per_minute=6000, seconds=60)
        with Workspace.open(Home(learned_victim.home)) as workspace:
            add(workspace, told, agreed=told.consent())
        ids: list[int] = []

        def begin(client: Client) -> int:
            ids.extend(one.id for one in client.find_photos(named) if isinstance(one, Photo) and one.id not in ids)
            part = len(ids) // KILLS
            return client.describe("vision", ids[learned_victim.kills * part :][:part]).id

        asked = 0
        for client, job in killed_each_time(learned_victim, begin, seed=9):
            assert (job.state, job.error) == ("completed", None)
            assert job.result is not None
            assert job.result["described"] + job.result["known"] == len(ids) // KILLS
            assert len(server.asked) - asked <= len(ids) // KILLS + 1  # but the one that was under way
            asked = len(server.asked)
            assert client.describers()[0].calls == asked


def test_a_dry_run_a_training_and_an_audit_give_after_every_kill_what_they_give_without(
    learned_victim: Victim, learned_home: Learned
) -> None:
    victim = learned_victim
    client = victim.start()
    catalog = client.catalogs()[0].id
    named = [PhotoRef(path=str(path)) for path in sorted(learned_home.library.rglob("*.jpg"))]
    ids = [one.id for one in client.find_photos(named) if isinstance(one, Photo)]
    client.decide([DecisionMade(number, "Killed|Often", "accepted") for number in ids])
    planned = client.wait(client.plan().id).result
    client.wait(client.audit(catalog).id)
    found = client.findings(catalog).findings
    victim.end()

    for _, job in killed_each_time(victim, lambda c: c.plan().id, seed=6):
        assert (job.state, job.result) == ("completed", planned)
    victim.end()
    victim.kills = 0
    for client, job in killed_each_time(victim, lambda c: c.audit(catalog).id, seed=7):
        assert job.state == "completed"
        assert client.findings(catalog).findings == found
    victim.end()
    victim.kills = 0
    for client, job in killed_each_time(victim, lambda c: c.train().id, seed=8):
        assert job.state == "completed"
        assert sum(one.active for one in client.versions()) == 1
        assert client.suggest(ids[:1]).photos[0].state == "ready"


def photos(client: Client, tmp_path: Path) -> list[int]:
    named = [PhotoRef(path=str(path)) for path in sorted((tmp_path / "library").rglob("*.jpg"))]
    return [one.id for one in client.find_photos(named) if isinstance(one, Photo)]


def decisions(client: Client) -> dict[tuple[int, str], str]:
    found: dict[tuple[int, str], str] = {}
    after: int | None = 0
    while after is not None:
        page = client.request("GET", f"/v1/decisions?limit=1000&after={after}")
        found |= {(d["photo"], d["keyword"]): d["decision"] for d in page["decisions"]}
        after = page["next"]
    return found
