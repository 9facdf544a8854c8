"""Describers as the user configured them: what was agreed to, what was spent, and the answers, each asked for once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from sqlalchemy import Column, Connection, Float, Integer, Table, Text, delete, func, insert, select, update

from keywright.describing.base import Candidate
from keywright.describing.providers import Kind, Provider
from keywright.store.schema import METADATA

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

_AT_ONCE = 500


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
    found = []
    for row in connection.execute(select(providers).order_by(providers.c.name)):
        values = json.loads(row.settings)
        provider = Provider(row.name, Kind(values.pop("kind")), **values)
        found.append(Configured(provider, row.agreed, row.agreed_at, int(row.calls), float(row.money)))
    return found


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
    connection.execute(delete(descriptions).where(descriptions.c.provider == name))
    connection.execute(delete(providers).where(providers.c.name == name))


def spend(connection: Connection, provider: Provider) -> bool:
    """Count one call before it is made; ``False``, and nothing counted, where a budget does not allow it.

    Counting comes first, so that a process that is killed, or two at once, never spend more than was allowed.
    """
    row = connection.execute(select(providers).where(providers.c.name == provider.name)).first()
    if row is None:
        return False
    if provider.most_calls is not None and row.calls + 1 > provider.most_calls:
        return False
    if provider.most_money is not None and row.money + provider.price > provider.most_money + 1e-9:
        return False
    connection.execute(
        update(providers)
        .where(providers.c.name == provider.name)
        .values(calls=providers.c.calls + 1, money=providers.c.money + provider.price)
    )
    return True


def keep_description(
    connection: Connection, provider: str, describer_id: str, content_id: str, candidates: Sequence[Candidate]
) -> None:
    key = (descriptions.c.describer_id == describer_id, descriptions.c.content_id == content_id)
    connection.execute(delete(descriptions).where(*key))
    connection.execute(
        insert(descriptions).values(
            describer_id=describer_id,
            content_id=content_id,
            provider=provider,
            answer=json.dumps([[c.name, c.score] for c in candidates], ensure_ascii=False),
            described_at=_now(),
        )
    )


def described_by(connection: Connection, describer_id: str) -> set[str]:
    """The content ids this describer has answered for."""
    chosen = select(descriptions.c.content_id).where(descriptions.c.describer_id == describer_id)
    return set(connection.execute(chosen).scalars())


def described_mark(connection: Connection) -> str:
    """Another text once something was described or forgotten, or providers may do something else; empty where nothing
    ever was described."""
    newest = select(func.count(), func.max(descriptions.c.described_at)).select_from(descriptions)
    described, last = connection.execute(newest).one()
    if not described:
        return ""
    agreed = select(func.count(), func.max(providers.c.agreed_at)).select_from(providers)
    return "/".join(map(str, (described, last, *connection.execute(agreed).one())))


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
    for start in range(0, len(content_ids), _AT_ONCE):
        part = content_ids[start : start + _AT_ONCE]
        chosen = select(descriptions).where(descriptions.c.content_id.in_(part)).order_by(descriptions.c.described_at)
        for row in connection.execute(chosen):
            said = tuple(Candidate(str(name), float(score)) for name, score in json.loads(row.answer))
            found.setdefault(row.content_id, {})[row.provider] = said
    return found


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
