"""Model, address and key of an endpoint, from options and the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import SecretStr

from eureka_loop.errors import BadInput

OPENAI = "https://api.openai.com/v1"
KEYS = ("EUREKA_API_KEY", "OPENAI_API_KEY")  # the first that is set counts
NO_KEY = "none"  # for local endpoints: the SDK requires a value


@dataclass(frozen=True, slots=True, kw_only=True)
class LLMSettings:
    """Parameters of model calls. There is no field for a key: it stays in the environment.

    Attributes:
        model: None: `$EUREKA_MODEL`.
        base_url: None: `$OPENAI_BASE_URL`, else OpenAI's.
        max_tokens: of one reply, thinking included.
        timeout: seconds without a byte before a call counts as lost.
        retries: of a call that the endpoint turns away (429, 5xx, no connection).
        pause: seconds before a call without an answer is repeated; four times as long before the next one.
    """

    model: str | None = None
    base_url: str | None = None
    temperature: float = 1.0
    max_tokens: int = 8192
    timeout: float = 300.0
    retries: int = 4
    pause: float = 2.0

    def __post_init__(self) -> None:
        if self.base_url is not None:
            check_url(self.base_url)


def check_url(url: str, name: str = "--base-url") -> None:
    """Refuse an address that is none, and without repeating it one that could carry a key into files.

    Args:
        name: option or variable that the address comes from.

    Raises:
        BadInput: not http(s), or with a user, a password, a query or a fragment.
    """
    if any(letter in url for letter in "@?#"):
        raise BadInput(
            f"{name} must be a plain address, without user, password, query (?...) or fragment (#...): "
            "a key comes from the environment alone, in EUREKA_API_KEY"
        )
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port that is not a number, half an IPv6 address
        valid = False
    if not valid or not url.isprintable() or " " in url:
        raise BadInput(f"{name} {url!r} is no web address; for example http://localhost:11434/v1")


def configured_model(settings: LLMSettings, environ: Mapping[str, str] = os.environ) -> str | None:
    """The model chosen by `--model` or `$EUREKA_MODEL`, if any."""
    return settings.model or environ.get("EUREKA_MODEL") or None


def configured_url(settings: LLMSettings, environ: Mapping[str, str] = os.environ) -> str:
    """The endpoint's address.

    Raises:
        BadInput: `$OPENAI_BASE_URL` is not an address, or carries a password.
    """
    if settings.base_url is not None:
        return settings.base_url.rstrip("/")  # checked when it was set
    url = environ.get("OPENAI_BASE_URL") or OPENAI
    check_url(url, "OPENAI_BASE_URL")
    return url.rstrip("/")


def api_key(url: str, environ: Mapping[str, str] = os.environ) -> SecretStr:
    """The key from the environment.

    Raises:
        BadInput: OpenAI's own endpoint without a key, or a value that can't be a key.
    """
    name = next((name for name in KEYS if environ.get(name, "").strip()), None)
    if name is None:
        if url == OPENAI:
            raise BadInput(
                "no key: set OPENAI_API_KEY (or EUREKA_API_KEY); a local endpoint needs none: "
                "--base-url http://localhost:11434/v1"
            )
        return SecretStr(NO_KEY)
    key = SecretStr(environ[name].strip())
    if not all("!" <= letter <= "~" for letter in key.get_secret_value()):
        raise BadInput(f"{name} holds a space or a character that no key has; set it again")
    return key
