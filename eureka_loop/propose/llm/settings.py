"""Model, address and key of an endpoint, from options and the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from pydantic import SecretStr

from eureka_loop.errors import BadInput

OPENAI = "https://api.openai.com/v1"
KEYS = ("EUREKA_API_KEY", "OPENAI_API_KEY")  # the first that is set counts


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
    if not re.fullmatch(r"https?://(\[[\da-fA-F:]+\]|[^\s/:\[\]]+)(:\d+)?(/\S*)?", url):
        raise BadInput(f"{name} {url!r} is no web address; for example http://localhost:11434/v1")


def configured_model(given: str | None, environ: Mapping[str, str] = os.environ) -> str | None:
    """The model chosen by `--model` or `$EUREKA_MODEL`, if any."""
    return given or environ.get("EUREKA_MODEL") or None


def configured_url(given: str | None, environ: Mapping[str, str] = os.environ) -> str:
    """The endpoint's address, by `--base-url` or `$OPENAI_BASE_URL`, else OpenAI's.

    Raises:
        BadInput: not an address, or one that could hold a key.
    """
    url = environ.get("OPENAI_BASE_URL") or OPENAI if given is None else given
    check_url(url, "OPENAI_BASE_URL" if given is None else "--base-url")
    return url.rstrip("/")


def api_key(url: str, environ: Mapping[str, str] = os.environ) -> SecretStr:
    """The key from the environment; "none" for a local endpoint without one.

    Raises:
        BadInput: OpenAI's own endpoint without a key, or a value that can't be a key.
    """
    name = next((name for name in KEYS if environ.get(name, "").strip()), None)
    if name is None and url == OPENAI:
        raise BadInput(
            "no key: set OPENAI_API_KEY (or EUREKA_API_KEY); a local endpoint needs none: "
            "--base-url http://localhost:11434/v1"
        )
    key = environ[name].strip() if name else "none"
    if not all("!" <= letter <= "~" and letter not in '"\\' for letter in key):
        raise BadInput(f"{name} holds a space or a character that no key has; set it again")
    return SecretStr(key)
