"""Describers as the user configured them: what was agreed to, what was spent, and the answers, each asked for once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from sqlalchemy import Column, Connection, Float, Index, Integer, Table, Text, delete, func, insert, select, update

from keywright.describing.base import Candidate
from keywright.describing.patience import MINUTE, until_allowed
from keywright.describing.providers import Kind, Provider
from keywright.errors import KeywrightError
from keywright.store.schema import METADATA
from keywright.store.slices import slices

providers = Table(
    "providers",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("settings", Text, nullable=False),  # JSON of ``Provider`` but its name; never a key
    Column("agreed", Text),  # the words that the user agreed to
    Column("agreed_at", Text),
    Column("calls", Integer, nullable=False, default=0),  # made so far, failed ones too
    Column("money", Float, nullable=False, default=0.0),
)

descriptions = Table(
    "descriptions",
    METADATA,
    Column("describer_id", Text, primary_key=True),
    Column("content_id", Text, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("answer", Text, nullable=False),  # JSON pairs of word and score
    Column("described_at", Text, nullable=False),
)

provider_calls = Table(
    "provider_calls",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("called_at", Float, nullable=False),  # seconds since 1970; kept for a minute
    Index("ix_provider_calls_provider", "provider", "called_at"),
)

unanswered = Table(
    "unanswered",
    METADATA,
    Column("describer_id", Text, primary_key=True),
    Column("content_id", Text, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("asked_at", Text, nullable=False),
)
"""Pictures that were asked about and have no answer, because there was none or because the asking was cut short."""


@dataclass(frozen=True, slots=True)
class Configured:
    """A provider with what the user agreed to (``None``: nothing yet) and what was spent."""

    provider: Provider
    agreed: str | None
    agreed_at: str | None
    calls: int
    money: float

    @property
    def may_send(self) -> bool:
        """Whether the user agreed to what this provider does now."""
        return self.agreed == self.provider.consent()


def list_providers(connection: Connection) -> list[Configured]:
    """All of them. Raises ``KeywrightError`` where one was configured in a way that is not taken any more."""
    found = []
    for row in connection.execute(select(providers).order_by(providers.c.name)):
        values = json.loads(row.settings)
        try:
            provider = Provider(row.name, Kind(values.pop("kind")), **values)
        except KeywrightError as error:
            remedy = f"take it out with `keywright provider remove {row.name}` and add it again"
            raise KeywrightError(f"{str(error).rstrip('.')}; {remedy}.") from error
        found.append(Configured(provider, row.agreed, row.agreed_at, int(row.calls), float(row.money)))
    return found


def new_keywords_allowed(connection: Connection) -> dict[str, bool]:
    """Whether each provider may suggest keywords that the user does not have, by name."""
    chosen = connection.execute(select(providers.c.name, providers.c.settings))
    return {row.name: bool(json.loads(row.settings).get("new_keywords")) for row in chosen}


def keep_provider(connection: Connection, provider: Provider, agreed: str) -> None:
    """Enter a provider, or change one of that name; what was spent stays spent."""
    settings = {name: value for name, value in asdict(provider).items() if name != "name"}
    values = {"settings": json.dumps(settings), "agreed": agreed, "agreed_at": _now()}
    known = connection.execute(select(providers.c.name).where(providers.c.name == provider.name)).first()
    if known is None:
        connection.execute(insert(providers).values(name=provider.name, **values))
    else:
        connection.execute(update(providers).where(providers.c.name == provider.name).values(values))


def forget_provider(connection: Connection, name: str) -> None:
    """Take out a provider and what it answered."""
    for table in (descriptions, unanswered, provider_calls):
        connection.execute(delete(table).where(table.c.provider == name))
    connection.execute(delete(providers).where(providers.c.name == name))


def spend(connection: Connection, provider: Provider, now: float) -> float | None:
    """Count one call before it is made, at ``now`` (seconds since 1970), and give 0.

    Nothing is counted where a budget does not allow it (``None``) or the pace not yet (the seconds until then).
    Counting comes first, so that a process that is killed, or two at once, never spend more than was allowed.
    """
    row = connection.execute(select(providers).where(providers.c.name == provider.name)).first()
    if row is None:
        return None
    if provider.most_calls is not None and row.calls + 1 > provider.most_calls:
        return None
    if provider.most_money is not None and row.money + provider.price > provider.most_money + 1e-9:
        return None
    mine = provider_calls.c.provider == provider.name
    calls = connection.execute(select(provider_calls.c.called_at).where(mine)).scalars()
    wait = until_allowed(list(calls), provider.per_minute, now)
    if wait > 0:
        return wait
    # Calls of the future are of a clock that was set back since.
    past = (provider_calls.c.called_at <= now - MINUTE) | (provider_calls.c.called_at > now)
    connection.execute(delete(provider_calls).where(mine, past))
    connection.execute(insert(provider_calls).values(provider=provider.name, called_at=now))
    connection.execute(
        update(providers)
        .where(providers.c.name == provider.name)
        .values(calls=providers.c.calls + 1, money=providers.c.money + provider.price)
    )
    return 0.0


def keep_asked(connection: Connection, provider: str, describer_id: str, content_id: str) -> None:
    """Note that a picture is asked about now; ``keep_description`` takes the note out."""
    key = (unanswered.c.describer_id == describer_id, unanswered.c.content_id == content_id)
    connection.execute(delete(unanswered).where(*key))
    values = {"describer_id": describer_id, "content_id": content_id, "provider": provider, "asked_at": _now()}
    connection.execute(insert(unanswered).values(values))


def unanswered_by(connection: Connection, describer_id: str) -> dict[str, str]:
    """The content ids this describer was asked about without an answer, with the time of the last attempt."""
    chosen = select(unanswered.c.content_id, unanswered.c.asked_at).where(unanswered.c.describer_id == describer_id)
    return {row.content_id: row.asked_at for row in connection.execute(chosen)}


def keep_description(
    connection: Connection, provider: str, describer_id: str, content_id: str, candidates: Sequence[Candidate]
) -> None:
    key = (descriptions.c.describer_id == describer_id, descriptions.c.content_id == content_id)
    connection.execute(delete(descriptions).where(*key))
    was_asked = (unanswered.c.describer_id == describer_id, unanswered.c.content_id == content_id)
    connection.execute(delete(unanswered).where(*was_asked))
    connection.execute(
        insert(descriptions).values(
            describer_id=describer_id,
            content_id=content_id,
            provider=provider,
            answer=json.dumps([[c.name, c.score] for c in candidates], ensure_ascii=False),
            described_at=_now(),
        )
    )


def described_by(connection: Connection, describer_id: str, since: datetime | None = None) -> set[str]:
    """The content ids this describer has answered for, ever or since a moment."""
    chosen = select(descriptions.c.content_id).where(descriptions.c.describer_id == describer_id)
    if since is not None:
        chosen = chosen.where(descriptions.c.described_at >= _written(since))
    return set(connection.execute(chosen).scalars())


def described_mark(connection: Connection) -> str:
    """Another text once something was described or forgotten, or providers may do something else; empty where nothing
    ever was described."""
    newest = select(func.count(), func.max(descriptions.c.described_at)).select_from(descriptions)
    described, last = connection.execute(newest).one()
    if not described:
        return ""
    return "/".join(map(str, (described, last, providers_mark(connection))))


def providers_mark(connection: Connection) -> str:
    """Another text once a provider was added, changed or taken out."""
    agreed = select(func.count(), func.max(providers.c.agreed_at)).select_from(providers)
    return "/".join(map(str, connection.execute(agreed).one()))


def answer_marks(connection: Connection) -> dict[str, str]:
    """By content id, for each picture that was described: another text once it was described again."""
    newest = select(descriptions.c.content_id, func.count(), func.max(descriptions.c.described_at))
    return {
        content: f"{number}/{last}"
        for content, number, last in connection.execute(newest.group_by(descriptions.c.content_id))
    }


def descriptions_of(
    connection: Connection, content_ids: Sequence[str]
) -> Mapping[str, Mapping[str, tuple[Candidate, ...]]]:
    """What each provider said last of each of these pictures: by content id, then by the provider's name."""
    found: dict[str, dict[str, tuple[Candidate, ...]]] = {}
    for part in slices(content_ids):
        chosen = select(descriptions).where(descriptions.c.content_id.in_(part)).order_by(descriptions.c.described_at)
        for row in connection.execute(chosen):
            said = tuple(Candidate(str(name), float(score)) for name, score in json.loads(row.answer))
            found.setdefault(row.content_id, {})[row.provider] = said
    return found


def _now() -> str:
    return _written(datetime.now(UTC))


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")  # two answers may come within a millisecond
