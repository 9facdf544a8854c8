"""The typed client of the bridge: every endpoint of its API as a method.

The photos a person looks at, the jobs and what is written are here; keywords, models, questions and search in
``library``. ``wire`` says how a request is sent.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from keywright_plugin.library import Library
from keywright_plugin.values import (
    Batch,
    Catalog,
    DecisionMade,
    Describer,
    HostReport,
    Job,
    PendingPhoto,
    Photo,
    PhotoKeyword,
    PhotoRef,
    Similar,
    State,
    Suggested,
    Suggestions,
    of,
)
from keywright_plugin.wire import parts, said


class Client(Library):
    @classmethod
    def open(cls, home: Path | None = None, timeout: float = 30.0) -> Client:
        """The client of this user's bridge, which is started where it does not run."""
        from keywright_plugin.starting import ensure_bridge

        return cls(ensure_bridge(home), timeout)

    # --- photos and suggestions

    def find_photos(self, named: Sequence[PhotoRef]) -> list[Photo | str]:
        """Each photo, or the sentence why it is none, in the order named."""
        found: list[Photo | str] = []
        for part in parts(named):
            told = self.request("POST", "/v1/photos", {"photos": [one.told() for one in part]}, safe=True)
            found += [str(one["error"]) if one["photo"] is None else Photo.of(one["photo"]) for one in told["photos"]]
        return found

    def suggest(
        self,
        photos: Sequence[int],
        *,
        min_confidence: float | None = None,
        limit: int | None = None,
        profile: str | None = None,
    ) -> Suggestions:
        """Suggestions for known photos; those that wait for a vector are put into a job."""
        body = {"photos": list(photos), **said(min_confidence=min_confidence, limit=limit, profile=profile)}
        told = self.request("POST", "/v1/suggestions", body, safe=True)
        return Suggestions(told["model_version"], tuple(Suggested.of(one) for one in told["photos"]), told["job"])

    def photo(self, number: int) -> Photo:
        return Photo.of(self.get(f"/v1/photos/{number}"))

    def photo_keywords(self, photo: int) -> list[PhotoKeyword]:
        """What a photo carries, what was decided on it, and what is suggested."""
        return [of(PhotoKeyword, one) for one in self.get(f"/v1/photos/{photo}/keywords")["keywords"]]

    def give_keywords(self, photo: int, keywords: Sequence[str]) -> list[PhotoKeyword]:
        return self._say(f"/v1/photos/{photo}/keywords", keywords)

    def remove_keywords(self, photo: int, keywords: Sequence[str]) -> list[PhotoKeyword]:
        return self._say(f"/v1/photos/{photo}/keywords/remove", keywords)

    def _say(self, path: str, keywords: Sequence[str]) -> list[PhotoKeyword]:
        told = self.request("POST", path, {"keywords": list(keywords)}, safe=True)
        return [of(PhotoKeyword, one) for one in told["keywords"]]

    def similar(self, photo: int, limit: int = 20) -> list[Similar]:
        """The photos most like one."""
        return [of(Similar, one) for one in self.get(f"/v1/photos/{photo}/similar", limit=limit)["photos"]]

    def send_rendition(self, photo: int, jpeg: bytes) -> int:
        """Send a JPEG of a photo that the bridge cannot read; gives the number of the job that embeds it."""
        told = self.send("PUT", f"/v1/photos/{photo}/rendition", jpeg, "image/jpeg", {}, safe=True)
        return int(told["job"])

    def decide(self, made: Sequence[DecisionMade], key: str | None = None) -> int:
        """Keep decisions, once whatever happens to the connection; they are on the disk when this returns."""
        kept = 0
        for number, part in enumerate(parts(made)):
            named = f"{key or uuid.uuid4().hex}.{number}"
            body = {"decisions": [asdict(one) for one in part]}
            kept += int(self.request("POST", "/v1/decisions", body, key=named)["kept"])
        return kept

    def decisions(self, decision: str | None = None) -> Iterator[DecisionMade]:
        """All that was decided (``accepted``, ``rejected``, or both), photo by photo."""
        for one in self.pages("/v1/decisions", "decisions", limit=1000, decision=decision):
            yield of(DecisionMade, one)

    # --- catalogs and jobs

    def catalogs(self) -> list[Catalog]:
        return [Catalog.of(one) for one in self.request("GET", "/v1/catalogs")["catalogs"]]

    def catalog(self, number: int) -> Catalog:
        """With whether it has changed since it was read."""
        return Catalog.of(self.get(f"/v1/catalogs/{number}"))

    def add_catalog(self, source: str, *, learn: bool = True, embed: bool = True) -> Catalog:
        """Register a catalog; ``job`` reads it, embeds its photos and learns its keywords, as far as that is wanted."""
        body = {"source": source, "learn": learn, "embed": embed}
        return Catalog.of(self.request("POST", "/v1/catalogs", body, safe=True))

    def learn(self, catalog: int) -> Job:
        return Job.of(self.request("POST", f"/v1/catalogs/{catalog}/learn"))

    def embed(self, photos: Sequence[int]) -> Job:
        """Have photos embedded that are new or were edited."""
        return Job.of(self.request("POST", "/v1/jobs/embed", {"photos": list(photos)}, safe=True))

    def describers(self) -> list[Describer]:
        """Those the user has added, and whether they were agreed to."""
        return [of(Describer, one) for one in self.get("/v1/describers")["describers"]]

    def describe(self, describer: str, photos: Sequence[int]) -> Job:
        """Have photos described by one the user has agreed to."""
        body = {"describer": describer, "photos": list(photos)}
        return Job.of(self.request("POST", "/v1/jobs/describe", body, safe=True))

    def job(self, number: int) -> Job:
        return Job.of(self.request("GET", f"/v1/jobs/{number}"))

    def jobs(self, state: str | None = None, limit: int = 100) -> list[Job]:
        """The newest first."""
        return [Job.of(one) for one in self.get("/v1/jobs", state=state, limit=limit)["jobs"]]

    def retry(self, number: int) -> Job:
        """Let a failed or cancelled job begin anew."""
        return Job.of(self.request("POST", f"/v1/jobs/{number}/retry"))

    def cancel(self, number: int) -> Job:
        return Job.of(self.request("POST", f"/v1/jobs/{number}/cancel"))

    def wait(self, number: int, watch: Callable[[Job], None] = lambda _: None, every: float = 0.25) -> Job:
        """Until a job has ended; ``watch`` is told how far it is."""
        while True:
            job = self.job(number)
            watch(job)
            if job.ended:
                return job
            self._pause(every)

    # --- write-backs

    def plan(
        self, catalogs: Sequence[int] = (), *, min_confidence: float | None = None, profile: str | None = None
    ) -> Job:
        """What ``apply`` would write where; the job's result has it."""
        body = {"catalogs": list(catalogs), **said(min_confidence=min_confidence, profile=profile)}
        return Job.of(self.request("POST", "/v1/write-backs/plan", body, safe=True))

    def apply(
        self, catalogs: Sequence[int] = (), *, min_confidence: float | None = None, profile: str | None = None
    ) -> Job:
        """Write into files what was accepted, or what is at least so sure."""
        body = {"catalogs": list(catalogs), **said(min_confidence=min_confidence, profile=profile)}
        return Job.of(self.request("POST", "/v1/write-backs", body))

    def batches(self, limit: int = 100) -> list[Batch]:
        """What was written, newest first."""
        return [of(Batch, one) for one in self.get("/v1/write-backs", limit=limit)["batches"]]

    def batch(self, number: str) -> Batch:
        return of(Batch, self.get(f"/v1/write-backs/{number}", limit=1)["batch"])

    def undo(self, batch: str, photos: Sequence[int] = ()) -> Job:
        return Job.of(self.request("POST", f"/v1/write-backs/{batch}/undo", {"photos": list(photos)}))

    def pending(self, catalog: int) -> Iterator[PendingPhoto]:
        """What the host is to do in its own catalog."""
        after: int | None = 0
        while after is not None:
            told = self.request("GET", f"/v1/write-backs/pending?catalog={catalog}&after={after}&limit=500")
            for one in told["photos"]:
                in_host = {k: told["host_ids"][k] for k in (*one["add"], *one["remove"]) if k in told["host_ids"]}
                yield PendingPhoto(one["photo"], one["host_id"], one["path"], one["add"], one["remove"], in_host)
            after = told["next"]

    def report(self, reports: Sequence[HostReport], key: str | None = None) -> int:
        """Tell what the host did, or could not do."""
        kept = 0
        for number, part in enumerate(parts(reports)):
            named = f"{key or uuid.uuid4().hex}.{number}"
            body = {"reports": [asdict(one) for one in part]}
            kept += int(self.request("POST", "/v1/write-backs/reports", body, key=named)["kept"])
        return kept

    # --- the bridge

    def select_for_review(self, photos: Sequence[int]) -> str:
        """An address that opens the review pages on exactly these photos, in their order; once, and for a short time.

        At most 10,000; the bridge refuses more.
        """
        return str(self.request("POST", "/v1/review/selections", {"photos": list(photos)}, safe=True)["url"])

    def login_link(self) -> str:
        """An address that opens one session in the user's browser."""
        return str(self.request("POST", "/v1/login-links")["url"])

    def follow(self, job: int) -> Iterator[Job]:
        """A job each time it has come on, until it has ended: by server-sent events, as long as the bridge sends them.

        Raises ``UnreachableError`` where the bridge goes away; ``wait`` goes on over a restart.
        """
        for line in self.lines(f"/v1/jobs/{job}/events"):
            if line.startswith(b"data: "):
                yield Job.of(json.loads(line[6:]))

    def state(self) -> State:
        """How the bridge is."""
        return of(State, self.get("/v1/state"))

    def shut_down(self) -> None:
        self.request("POST", "/v1/shutdown")
