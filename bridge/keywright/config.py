"""The user's choices: one TOML file, and the environment over it. Everything has a default; unknown names are named.

The file is ``config.toml`` in ``KEYWRIGHT_HOME`` where that is set, else in the user's folder for configurations.
Each setting of a section can be overridden by ``KEYWRIGHT_SECTION_NAME``, such as ``KEYWRIGHT_SERVICE_PORT``.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from keywright.errors import KeywrightError, reason
from keywright.keywords import KeywordPath

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


class Profile(_Section):
    """A name for a set of choices."""

    under: tuple[Keyword, ...] = Field(default=(), description="Only keywords at or below these; empty: all.")
    without: tuple[Keyword, ...] = Field(default=(), description="No keywords at or below these.")
    min_confidence: Confidence | None = Field(default=None, description="Instead of the one in [suggest].")
    limit: int | None = Field(default=None, ge=0, le=1000, description="Instead of the one in [suggest].")
    template: Annotated[str, AfterValidator(_template)] | None = Field(
        default=None, description="Where suggestions are put: Suggested|{keyword}, or Subjects|{label}."
    )

    def admits(self, path: KeywordPath) -> bool:
        """Whether this profile is for such a keyword."""
        return (not self.under or _below(path, self.under)) and not _below(path, self.without)

    def placed(self, path: KeywordPath) -> KeywordPath:
        """Where the template puts a keyword."""
        if self.template is None:
            return path
        if _LABEL in self.template:
            return KeywordPath.parse(self.template.replace(_LABEL, str(KeywordPath((path.name,)))))
        return KeywordPath.parse(self.template.replace(_KEYWORD, str(path)))


def _below(path: KeywordPath, tops: tuple[str, ...]) -> bool:
    return any(path.key == (top := KeywordPath.parse(text)).key or path.is_under(top) for text in tops)


class Config(_Section):
    """All choices of one user."""

    service: Service = Service()
    suggest: Suggest = Suggest()
    profiles: dict[str, Profile] = {}

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
        return Path(environment["KEYWRIGHT_HOME"]).expanduser().absolute() / "config.toml"
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
    for section in ("service", "suggest"):
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
    return config


def _fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        known = _known(fault["loc"])
        return f"an unknown setting {where}; " + (f"known there are {', '.join(known)}." if known else "remove it.")
    return f"a wrong value for {where}: {fault['msg']}."


def _known(place: tuple[int | str, ...]) -> list[str]:
    sections: dict[str, type[_Section]] = {"service": Service, "suggest": Suggest, "profiles": Profile}
    if len(place) == 1:
        return list(Config.model_fields)
    section = sections.get(str(place[0]))
    return list(section.model_fields) if section else []
