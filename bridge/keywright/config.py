"""The user's choices: one TOML file, and the environment over it. Everything has a default; unknown names are named.

The file is ``config.toml`` in ``KEYWRIGHT_HOME`` where that is set, else in the user's folder for configurations.
Each setting of a section can be overridden by ``KEYWRIGHT_SECTION_NAME``, such as ``KEYWRIGHT_SERVICE_PORT``.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from keywright.errors import KeywrightError, reason
from keywright.keywords import KeywordPath, fold_name
from keywright.platform import expanded

_TOP = "keywright"
_KEYWORD = "{keyword}"
_LABEL = "{label}"


class ConfigError(KeywrightError):
    """The configuration is not as it should be; the sentence names the file, the setting, and what it may be."""


def _keyword(text: str) -> str:
    return str(KeywordPath.parse(text))


def _template(text: str) -> str:
    if (_KEYWORD in text) == (_LABEL in text):
        raise ValueError(f"must hold either {_KEYWORD} (the whole path) or {_LABEL} (its last name)")
    KeywordPath.parse(text.replace(_KEYWORD, "x").replace(_LABEL, "x"))
    return text


def _automatic(text: str) -> str:
    from keywright.metadata.shot import FIELDS

    named = _FIELD.findall(text)
    if not named:
        raise ValueError("must hold a field such as {year}; a keyword that is always the same is no automatic one")
    unknown = [name for name in named if name not in FIELDS]
    if unknown:
        raise ValueError(f"{{{unknown[0]}}} is no field; there are {', '.join(FIELDS)}")
    KeywordPath.parse(_FIELD.sub("x", text))
    return text


_FIELD = re.compile(r"\{(\w*)\}")

Keyword = Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(_keyword)]
Confidence = Annotated[float, Field(ge=0, le=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Service(_Section):
    """How the bridge is reached."""

    host: str = Field(
        default="127.0.0.1", description="Address the bridge listens on; only loopback unless told twice."
    )
    port: int = Field(default=0, ge=0, le=65535, description="0: a free one.")
    threads: int = Field(default=8, ge=4, le=128, description="Requests that are answered at once.")


class Suggest(_Section):
    """What is suggested where nothing else was said."""

    min_confidence: Confidence | None = Field(
        default=None, description="Without it each keyword has its own threshold."
    )
    limit: int = Field(default=10, ge=0, le=1000, description="Most suggestions of one photo; 0: no limit.")


class Learning(_Section):
    """How keywords are learned where nothing else was said."""

    min_photos: int = Field(
        default=5, ge=1, le=10_000, description="A keyword on fewer photos has a model but is not suggested."
    )
    precision: float = Field(
        default=0.8, ge=0.05, le=0.99, description="Wanted share of right suggestions at a keyword's own threshold."
    )
    decisions_before_learning: int = Field(
        default=1,
        ge=0,
        le=100_000,
        description="1: each decision is learned at once; N: N together; 0: by `learn` alone.",
    )
    keep_versions: int = Field(
        default=10, ge=0, le=100_000, description="Model versions that are kept, the newest; 0: all."
    )


class Files(_Section):
    """How photos' files and sidecars are written."""

    sidecars: Literal["lightroom", "darktable", "digikam", "plain"] = Field(
        default="lightroom",
        description="Whose rule says where keywords go: lightroom, darktable, digikam, or plain for Capture One, "
        "Photo Mechanic and Bridge.",
    )
    times: Literal["touch", "keep"] = Field(
        default="touch",
        description="touch: a written file's time is now, as other programs and backups expect; keep: as it was.",
    )
    hard_links: Literal["refuse", "separate"] = Field(
        default="refuse",
        description="A file with several names (hard links); separate: the one that is written becomes its own file.",
    )


class Watch(_Section):
    """What the bridge looks at by itself while it runs."""

    catalogs: bool = Field(default=True, description="Read registered catalogs anew when they have changed.")
    interval: int = Field(default=60, ge=5, le=86_400, description="Seconds from one look to the next.")


class Profile(_Section):
    """A name for a set of choices."""

    under: tuple[Keyword, ...] = Field(default=(), description="Only keywords at or below these; empty: all.")
    without: tuple[Keyword, ...] = Field(default=(), description="No keywords at or below these.")
    min_confidence: Confidence | None = Field(default=None, description="Instead of the one in [suggest].")
    limit: int | None = Field(default=None, ge=0, le=1000, description="Instead of the one in [suggest].")
    template: Annotated[str, AfterValidator(_template)] | None = Field(
        default=None, description="Where suggestions are put: Suggested|{keyword}, or Subjects|{label}."
    )
    automatic: tuple[Annotated[str, Field(max_length=1024), AfterValidator(_automatic)], ...] = Field(
        default=(), description="Keywords made of what the camera wrote: Date|{year}, Camera|{camera}."
    )

    def over(self, min_confidence: float | None, limit: int | None) -> Profile:
        """This profile with what was said for one question over it; ``None`` says nothing."""
        said = {"min_confidence": min_confidence, "limit": limit}
        return self.model_copy(update={name: value for name, value in said.items() if value is not None})

    @cached_property
    def _tops(self) -> tuple[tuple[KeywordPath, ...], tuple[KeywordPath, ...]]:
        under, without = (tuple(map(KeywordPath.parse, texts)) for texts in (self.under, self.without))
        return under, without

    def admits(self, path: KeywordPath) -> bool:
        """Whether this profile is for such a keyword."""
        under, without = self._tops
        return (not under or _below(path, under)) and not _below(path, without) and not self.is_automatic(path)

    def placed(self, path: KeywordPath) -> KeywordPath:
        """Where the template puts a keyword; one that it has put there before stays."""
        if self.template is None or self.has_placed(path):
            return path
        if _LABEL in self.template:
            return KeywordPath.parse(self.template.replace(_LABEL, str(KeywordPath((path.name,)))))
        return KeywordPath.parse(self.template.replace(_KEYWORD, str(path)))

    def has_placed(self, path: KeywordPath) -> bool:
        """Whether a keyword looks like one that the template has put where it is."""
        if self.template is None:
            return False
        before, after = (fold_name(part) for part in re.split(r"\{keyword\}|\{label\}", self.template, maxsplit=1))
        text = fold_name(str(path))
        levels = len(KeywordPath.parse(self.template).parts)
        return (
            len(text) > len(before) + len(after)
            and text.startswith(before)
            and text.endswith(after)
            and (len(path.parts) == levels or (len(path.parts) > levels and _KEYWORD in self.template))
        )

    def automatic_keywords(self, fields: Mapping[str, str]) -> list[KeywordPath]:
        """The automatic keywords of a photo with these fields; one that needs a field the photo lacks is left out."""
        known = {name: str(KeywordPath((value,))) for name, value in fields.items()}
        return [
            KeywordPath.parse(_FIELD.sub(lambda match: known[match.group(1)], text))
            for text in self.automatic
            if all(name in known for name in _FIELD.findall(text))
        ]

    @cached_property
    def _forms(self) -> tuple[re.Pattern[str], ...]:
        # Literal text and fields take turns where a template is split at its fields; a field is within one level.
        return tuple(
            re.compile(r"(?:\\.|[^|\\])+".join(re.escape(fold_name(part)) for part in _FIELD.split(text)[::2]))
            for text in self.automatic
        )

    def is_automatic(self, path: KeywordPath) -> bool:
        """Whether a keyword has the form of an automatic one: the file alone tells those."""
        text = fold_name(str(path))
        return any(form.fullmatch(text) for form in self._forms)


def _below(path: KeywordPath, tops: tuple[KeywordPath, ...]) -> bool:
    return any(path.key == top.key or path.is_under(top) for top in tops)


EVERYTHING = Profile(limit=0)
"""The profile that changes nothing: all keywords, where they are, as many as there are."""


class Config(_Section):
    """All choices of one user."""

    service: Service = Service()
    suggest: Suggest = Suggest()
    learning: Learning = Learning()
    files: Files = Files()
    watch: Watch = Watch()
    profiles: dict[str, Profile] = {}
    encoder: str = Field(
        default="standard", min_length=1, description="What a new home looks at photos with: fast, standard, best."
    )

    def profile(self, name: str | None) -> Profile:
        """The profile of a name, with what [suggest] says where it says nothing; ``None`` gives those alone.

        Raises ``ConfigError`` where there is none of that name.
        """
        chosen = Profile() if name is None else self.profiles.get(name)
        if chosen is None:
            known = ", ".join(sorted(self.profiles)) or "none"
            raise ConfigError(f"There is no profile {name!r}; the configuration has {known}.")
        least = self.suggest.min_confidence if chosen.min_confidence is None else chosen.min_confidence
        most = self.suggest.limit if chosen.limit is None else chosen.limit
        return chosen.model_copy(update={"min_confidence": least, "limit": most})


def config_file(environment: Mapping[str, str] = os.environ) -> Path:
    if environment.get("KEYWRIGHT_HOME"):
        return expanded(environment["KEYWRIGHT_HOME"]).absolute() / "config.toml"
    from platformdirs import user_config_path

    return user_config_path("keywright", appauthor=False) / "config.toml"


def load_config(environment: Mapping[str, str] = os.environ) -> Config:
    """The file's choices (none is no error) with the environment's over them. Raises ``ConfigError``."""
    file = config_file(environment)
    try:
        told: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        told = {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The configuration {file} cannot be read ({reason(error)}).") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"The configuration {file} is no TOML: {error}.") from error
    try:
        config = Config.model_validate(told)
    except ValidationError as error:
        raise ConfigError(f"The configuration {file} has {_fault(error)}") from error
    return _overridden(config, environment)


def _overridden(config: Config, environment: Mapping[str, str]) -> Config:
    for section in ("service", "suggest", "learning", "files", "watch"):
        before: _Section = getattr(config, section)
        values = before.model_dump()
        given = {}
        for name in values:
            variable = f"{_TOP}_{section}_{name}".upper()
            if variable in environment:
                given[name] = environment[variable]
        if given:
            try:
                changed = type(before).model_validate(values | given)
            except ValidationError as error:
                raise ConfigError(f"The environment (KEYWRIGHT_{section.upper()}_…) has {_fault(error)}") from error
            config = config.model_copy(update={section: changed})
    if environment.get("KEYWRIGHT_ENCODER"):
        config = config.model_copy(update={"encoder": environment["KEYWRIGHT_ENCODER"]})
    return config


def _fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        known = _known(fault["loc"])
        return f"an unknown setting {where}; " + (f"known there are {', '.join(known)}." if known else "remove it.")
    return f"a wrong value for {where}: {fault['msg']}."


def _known(place: tuple[int | str, ...]) -> list[str]:
    sections: dict[str, type[_Section]] = {
        "service": Service,
        "suggest": Suggest,
        "learning": Learning,
        "files": Files,
        "watch": Watch,
        "profiles": Profile,
    }
    if len(place) == 1:
        return list(Config.model_fields)
    section = sections.get(str(place[0]))
    return list(section.model_fields) if section else []
