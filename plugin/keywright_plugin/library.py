"""The part of the client for what the bridge has learned: keywords, models, encoders, thresholds, questions, search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from keywright_plugin.values import (
    Audit,
    Comparison,
    Encoder,
    Finding,
    Found,
    Job,
    Keyword,
    KeywordModel,
    ModelVersion,
    Question,
    Threshold,
    ThresholdPreview,
    of,
)
from keywright_plugin.wire import FILE, Wire, said


class Library(Wire):
    # --- keywords

    def keywords(self, order: str = "tree") -> list[Keyword]:
        """All of them, in the order of the ``tree`` or the most used first (``popular``)."""
        return [of(Keyword, one) for one in self.pages("/v1/keywords", "keywords", order=order, limit=1000)]

    def search_keywords(self, text: str, limit: int = 20) -> list[Keyword]:
        """Those that begin with what is typed."""
        return [of(Keyword, one) for one in self.get("/v1/keywords/search", text=text, limit=limit)["keywords"]]

    def keywords_below(self, under: str | None = None) -> dict[str, int]:
        """The keywords right below one (at the top), and how many each has below itself."""
        told = self.get("/v1/keywords/tree", under=under)["keywords"]
        return {str(one["keyword"]): int(one["children"]) for one in told}

    def create_keyword(self, keyword: str, synonyms: Sequence[str] = (), *, private: bool = False) -> Keyword:
        body = {"keyword": keyword, "synonyms": list(synonyms), "private": private}
        return of(Keyword, self.request("POST", "/v1/keywords", body, safe=True))

    def primes(self, keyword: str) -> list[int]:
        """The prime examples of a keyword, as numbers of photos."""
        return [int(one) for one in self.get("/v1/keywords/primes", keyword=keyword)["photos"]]

    def mark_prime(self, photo: int, keyword: str, prime: bool = True) -> None:
        """Mark a photo as a prime example of a keyword it carries, or no more."""
        self.request("POST", f"/v1/review/photos/{photo}/prime", {"keyword": keyword, "prime": prime}, safe=True)

    # --- models

    def versions(self) -> list[ModelVersion]:
        """Oldest first."""
        return [of(ModelVersion, one) for one in self.get("/v1/models/versions")["versions"]]

    def activate(self, version: int) -> ModelVersion:
        return of(ModelVersion, self.request("POST", f"/v1/models/versions/{version}/activate", safe=True))

    def remove_version(self, version: int) -> int:
        """Forget a version that does not suggest; gives the bytes that no other version shared."""
        return int(self.request("POST", f"/v1/models/versions/{version}/remove")["freed"])

    def roll_back(self) -> ModelVersion:
        """Let the version suggest that did before the active one."""
        return of(ModelVersion, self.request("POST", "/v1/models/rollback"))

    def compare(self, old: int, new: int) -> Comparison:
        return Comparison.of(self.get("/v1/models/compare", old=old, new=new))

    def export_version(self, version: int) -> bytes:
        """A version as one file."""
        return self.fetch(f"/v1/models/versions/{version}/file")

    def import_version(self, data: bytes) -> ModelVersion:
        """Keep an exported version beside the others; which one suggests stays."""
        return of(ModelVersion, self.send("POST", "/v1/models/versions", data, FILE, {}, safe=True)["version"])

    def figures(self) -> Mapping[str, Any]:
        """How good each model version is, as the bridge tells it."""
        return self.get("/v1/models/figures")

    def train(self) -> Job:
        """Train on what is known, reading no catalog."""
        return Job.of(self.request("POST", "/v1/models/train"))

    def keyword_models(self) -> list[KeywordModel]:
        """Every keyword with the quality of its model, and its threshold."""
        return [of(KeywordModel, one) for one in self.get("/v1/models/keywords")["keywords"]]

    def threshold(self, keyword: str) -> Threshold:
        return of(Threshold, self.get("/v1/thresholds", keyword=keyword))

    def set_threshold(self, keyword: str, confidence: float | None) -> Threshold:
        """``None`` lets the learned one hold again."""
        body = {"keyword": keyword, "confidence": confidence}
        return of(Threshold, self.request("POST", "/v1/thresholds", body, safe=True))

    def preview_threshold(self, keyword: str, confidence: float, limit: int = 24) -> ThresholdPreview:
        """What a keyword would be suggested on from a confidence on."""
        return ThresholdPreview.of(
            self.get("/v1/thresholds/preview", keyword=keyword, confidence=confidence, limit=limit)
        )

    # --- encoders

    def encoders(self) -> list[Encoder]:
        """Those a person may choose, and which one is in use."""
        return [of(Encoder, one) for one in self.get("/v1/encoders")["encoders"]]

    def encoder_change(self) -> Job | None:
        """The newest change, as far as it has come or as it ended."""
        newest = self.get("/v1/encoders")["job"]
        return None if newest is None else Job.of(newest)

    def change_encoder(self, name: str, *, anyway: bool = False) -> Job:
        """Look at all photos with another encoder and let its models suggest, where they are as good or ``anyway``."""
        return Job.of(self.request("POST", "/v1/encoders/change", {"name": name, "anyway": anyway}, safe=True))

    def fine_tuning(self) -> Job | None:
        """The newest fine-tuning, as far as it has come or as it ended."""
        newest = self.get("/v1/encoders")["finetuning"]
        return None if newest is None else Job.of(newest)

    def fine_tune(self, name: str | None = None, *, epochs: int | None = None) -> Job:
        """Let the encoder in use learn the keywords, and change to the result where it is better."""
        body = {"name": name, "epochs": epochs}
        return Job.of(self.request("POST", "/v1/encoders/finetune", body, safe=True))

    def take_encoder_back(self) -> ModelVersion:
        """Let the encoder before be in use again, with its models."""
        return of(ModelVersion, self.request("POST", "/v1/encoders/back"))

    # --- questions and search

    def uncertain(self, keyword: str | None = None, limit: int = 20) -> list[Question]:
        """The photos whose answer would teach most."""
        return [Question.of(one) for one in self.get("/v1/uncertain", keyword=keyword, limit=limit)["questions"]]

    def audit(self, catalog: int) -> Job:
        """Look for keywords that are probably missing or wrong; ``findings`` has what was found once the job ended."""
        return Job.of(self.request("POST", "/v1/audits", {"catalog": catalog}, safe=True))

    def findings(self, catalog: int) -> Audit:
        """What the newest audit of a catalog found, without what was decided since."""
        told = self.get("/v1/audits", catalog=catalog, limit=1000)
        page, findings = told, [Finding.of(one) for one in told["findings"]]
        while page["next"] is not None:
            page = self.get("/v1/audits", catalog=catalog, limit=1000, after=page["next"])
            findings += [Finding.of(one) for one in page["findings"]]
        return Audit(told["job"], str(told["state"]), int(told["judged"]), tuple(findings))

    def search(
        self,
        text: str | None = None,
        *,
        like: Sequence[int] = (),
        limit: int = 20,
        min_score: float | None = None,
        under: str | None = None,
        keyword: str | None = None,
    ) -> list[Found]:
        """Photos that words mean, or that are like others; best first."""
        anchors = ",".join(str(number) for number in like) or None
        asked = said(text=text, like=anchors, limit=limit, min_score=min_score, under=under, keyword=keyword)
        return [of(Found, one) for one in self.get("/v1/search", **asked)["photos"]]
