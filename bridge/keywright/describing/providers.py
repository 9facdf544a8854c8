"""What a provider is to the user: where photos would go, what it may cost, how fast; and presets of known ones."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import SplitResult, urlsplit

from keywright.describing.proxies import address_of, is_this_machine, shown_proxy
from keywright.errors import KeywrightError

MOST_SENT = 300
"""Names of keywords that are sent, where they are; the most used."""
LONGEST_WAIT = 86_400
"""Seconds that may be allowed for an answer."""
_MOST = 10**9  # of calls; more is a slip of the hand
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


class Kind(StrEnum):
    OPENAI = "openai"  # any endpoint that speaks OpenAI's chat completions: Ollama, LM Studio, llama.cpp, vLLM
    GOOGLE = "google-vision"
    LANDING = "landinglens"
    MOONDREAM = "moondream"  # a Moondream model in a folder of this machine, through transformers


@dataclass(frozen=True, slots=True)
class Provider:
    """One describer as configured. Nothing is sent before the user agreed (``store.providers`` keeps that)."""

    name: str
    kind: Kind
    url: str  # the endpoint; of a local model its folder, from the root
    model: str = ""  # of LandingLens the endpoint's id
    longest_side: int = 768  # pixels of the picture that is sent
    send_keywords: bool = False  # whether the names of the user's keywords are sent, to choose from
    new_keywords: bool = False  # whether it may suggest keywords that the user does not have
    per_minute: int = 60  # calls
    seconds: float = 60  # how long an answer may take
    most_calls: int | None = None  # a budget for all time; None: no limit
    most_money: float | None = None
    price: float = 0.0  # of one call, in the currency the user counts in

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise KeywrightError(
                f"{self.name!r} is no name for a provider; use letters, digits, dots and dashes, at most 40."
            )
        if self.kind is not Kind.MOONDREAM:
            parts = _parts(self.url)
            if parts is None:
                raise KeywrightError(f"{self.url!r} is no address; write it as https://host/path.")
            if parts.username or parts.password or parts.query or parts.fragment:
                raise KeywrightError(
                    f"The address of {self.name} must hold nothing but host and path; give the key when you are asked."
                )
            if parts.scheme == "http" and not self.is_local and not self._is_private:
                raise KeywrightError(
                    f"{self.url} is not encrypted; photos and keys go to other machines through https:// alone."
                )
        if not 64 <= self.longest_side <= 2048:
            raise KeywrightError(f"A picture of {self.longest_side} pixels cannot be sent; choose 64 to 2048.")
        if not 1 <= self.per_minute <= _MOST or not _is_amount(self.price):
            raise KeywrightError(f"The limits of {self.name} must be numbers above zero.")
        if not 0 < self.seconds <= LONGEST_WAIT:
            raise KeywrightError(f"An answer of {self.name} cannot take {self.seconds:g} seconds; choose up to a day.")
        if not 0 <= (self.most_calls or 0) <= _MOST or not _is_amount(self.most_money or 0.0):
            raise KeywrightError(f"The budget of {self.name} must be a number, and not below zero.")
        if self.most_money is not None and not self.price:
            raise KeywrightError(f"A budget in money for {self.name} needs the price of a call; give --price.")

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or self.url

    @property
    def is_local(self) -> bool:
        """Whether nothing leaves this machine."""
        return self.kind is Kind.MOONDREAM or is_this_machine(self.host)

    @property
    def origin(self) -> tuple[str, str, int | None]:
        """Scheme, host and port: whom a key was given for."""
        if self.kind is Kind.MOONDREAM:
            return "", "", None
        parts = urlsplit(self.url)
        return parts.scheme, self.host, parts.port or {"http": 80, "https": 443}[parts.scheme]

    @property
    def _is_private(self) -> bool:
        address = address_of(self.host)
        return (address is not None and address.is_private) or self.host.endswith((".local", ".lan", ".home.arpa"))

    def consent(self) -> str:
        """What the user agrees to, in a few sentences; another provider, address or picture needs another agreement."""
        if self.kind is Kind.MOONDREAM:
            return (
                f"The model in {self.url} describes photos on this machine; nothing leaves it. Loading the model runs "
                "the Python code that lies in that folder: agree only where you trust who made it."
            )
        proxy = shown_proxy(self.url)
        where = f"{self.url} (on this machine)" if self.is_local else self.url
        where += f" through the proxy {proxy}" if proxy is not None else ""
        what = (
            f"A copy of each photo, at most {self.longest_side} pixels, without its name, place, time or other metadata"
        )
        keywords = (
            f", and the names of your keywords (the {MOST_SENT} most used; never private ones)"
            if self.send_keywords
            else ""
        )
        cost = f" One call costs {self.price:g} as you told." if self.price else ""
        limits = [f"at most {self.most_calls:,} calls"] if self.most_calls is not None else []
        limits += [f"at most {self.most_money:g} in money"] if self.most_money is not None else []
        budget = f" Budget: {', '.join(limits)}." if limits else " There is no budget: calls are not limited."
        return f"{what}{keywords}, is sent to {where} whenever you have photos described by {self.name}.{cost}{budget}"


@dataclass(frozen=True, slots=True)
class Preset:
    """A known provider: what ``keywright provider add --preset`` fills in."""

    kind: Kind
    url: str
    model: str
    about: str

    def provider(self, name: str) -> Provider:
        return Provider(name, self.kind, self.url, self.model)


_OLLAMA = "http://127.0.0.1:11434/v1"
PRESETS: dict[str, Preset] = {
    "moondream2": Preset(Kind.OPENAI, _OLLAMA, "moondream", "Moondream 2 (1.9 B) in Ollama: small, quick"),
    "smolvlm2": Preset(
        Kind.OPENAI, "http://127.0.0.1:8080/v1", "SmolVLM2-2.2B-Instruct", "SmolVLM2 (2.2 B) in llama.cpp's server"
    ),
    "qwen2.5-vl": Preset(Kind.OPENAI, _OLLAMA, "qwen2.5vl:7b", "Qwen2.5-VL (7 B) in Ollama: exact, follows orders"),
    "llava": Preset(Kind.OPENAI, _OLLAMA, "llava:7b", "LLaVA 1.6 (7 B) in Ollama"),
    "lm-studio": Preset(Kind.OPENAI, "http://127.0.0.1:1234/v1", "", "whatever vision model LM Studio has loaded"),
    "vllm": Preset(Kind.OPENAI, "http://127.0.0.1:8000/v1", "", "whatever vision model vLLM serves"),
    "google-vision": Preset(
        Kind.GOOGLE, "https://vision.googleapis.com/v1", "LABEL_DETECTION", "Google Cloud Vision labels; needs a key"
    ),
    "landinglens": Preset(
        Kind.LANDING,
        "https://predict.app.landing.ai/inference/v1/predict",
        "",
        "a LandingLens model of yours; needs a key and --model with its endpoint id",
    ),
}


def changed(provider: Provider, **values: object) -> Provider:
    """The provider with what is not ``None`` of ``values`` put in."""
    return replace(provider, **{name: value for name, value in values.items() if value is not None})  # type: ignore[arg-type]


def _parts(url: str) -> SplitResult | None:
    """The parts of an address that a request can be sent to; ``None`` where it is none."""
    if not url.isprintable() or " " in url or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port  # raises where it is no number up to 65535
        named = host.encode("idna").decode() if address_of(host) is None else ""
    except ValueError:
        return None
    if (
        parts.scheme not in ("http", "https")
        or not host
        or (named and not (len(named) < 254 and _HOST.fullmatch(named)))
    ):
        return None
    return parts


def _is_amount(value: float) -> bool:
    return math.isfinite(value) and value >= 0
