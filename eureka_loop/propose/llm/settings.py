"""Model, address and key of an endpoint, from options and the environment."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import SecretStr

from eureka_loop.errors import BadInput

OPENAI = "https://api.openai.com/v1"
KEYS = ("EUREKA_API_KEY", "OPENAI_API_KEY")  # the first that is set counts; the second at OpenAI alone
AZURE_KEY = "AZURE_OPENAI_API_KEY"  # at Azure alone
AZURE_VERSION = "2024-10-21"  # of the interface with deployments in the path, where none is stated
ACCOUNT = {"OpenAI-Organization": "OPENAI_ORG_ID", "OpenAI-Project": "OPENAI_PROJECT_ID"}


_VERSION = re.compile(r"\?api-version=(\d{4}-\d{2}-\d{2}(?:-preview)?|preview|latest|v1)\Z", re.A)


def check_url(url: str, name: str = "--base-url") -> None:
    """Refuse an address that is none, and without repeating it one that could carry a key into files.

    Args:
        name: option or variable that the address comes from.

    Raises:
        BadInput: not http(s), not ASCII, or with a user, a password, a query or a fragment.
    """
    url = _VERSION.sub("", url)
    if any(letter in url for letter in "@?#"):
        raise BadInput(
            f"{name} must be a plain address, without user, password, query (?...) or fragment (#...), "
            "except Azure's ?api-version=YYYY-MM-DD: "
            "a key comes from the environment alone, in EUREKA_API_KEY"
        )
    if not url.isascii():
        raise BadInput(
            f"{name} {url!a} has letters of other alphabets, which may look alike: write them as xn--..."
        )
    with contextlib.suppress(ValueError):  # of numbers that are no address, and of a port
        if re.fullmatch(r"https?://(\[[\da-fA-F:]+\]|[\w.-]+)(:\d+)?(/[!-~]*)?", url, re.A):
            host = urlsplit(url).hostname or ""
            if ":" in host or re.fullmatch(r"[\d.]+", host):
                ipaddress.ip_address(host)
            if urlsplit(url).port != 0:
                return
    raise BadInput(f"{name} {url!r:.80} is no web address; for example http://localhost:11434/v1")


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
    stated = _VERSION.search(url)
    address = _VERSION.sub("", url).rstrip("/").removesuffix("/chat/completions")
    version = stated[1] if stated else environ.get("OPENAI_API_VERSION", "")
    if is_azure(address) and urlsplit(address).path in ("", "/openai"):  # the resource alone
        address = f"{address.removesuffix('/openai')}/openai{'' if version else '/v1'}"
    deployments = "/openai/deployments/" in address or (is_azure(address) and address.endswith("/openai"))
    if not (stated or deployments):  # others' addresses may end in /openai, too
        return address
    query = f"?api-version={version or AZURE_VERSION}"
    if not _VERSION.search(query):
        raise BadInput("OPENAI_API_VERSION must be a version such as 2024-10-21")
    return address + query


def with_version(url: str) -> tuple[str, str]:
    """An address, and Azure's `api-version`; empty for any other endpoint."""
    address, _, version = url.partition("?api-version=")
    return address, version


@dataclass(frozen=True, slots=True)
class Key:
    """A key, and the variable that it is from."""

    name: str
    secret: SecretStr


def api_key(url: str, environ: Mapping[str, str] = os.environ) -> Key | None:
    """The key for an address: $OPENAI_API_KEY is OpenAI's alone; None for another address without one.

    Raises:
        BadInput: OpenAI's own endpoint without a key, or a value that can't be a key.
    """
    names = KEYS if is_openai(url) else (*KEYS[:1], AZURE_KEY) if is_azure(url) else KEYS[:1]
    name = next((name for name in names if environ.get(name, "").strip()), None)
    if name is None and is_openai(url):
        raise BadInput(
            "no key: set OPENAI_API_KEY (or EUREKA_API_KEY); a local endpoint needs none: "
            "--base-url http://localhost:11434/v1"
        )
    if name is None:
        return None
    key = environ[name].strip()
    if not all("!" <= letter <= "~" and letter not in '"\\' for letter in key):
        raise BadInput(f"{name} holds a space or a character that no key has; set it again")
    return Key(name, SecretStr(key))


def headers(url: str, key: Key | None, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Headers of every request: the key, and at OpenAI the account's organization and project."""
    found: dict[str, str] = {}
    if key and (is_azure(url) or with_version(url)[1]):
        found = {"api-key": key.secret.get_secret_value()}
    elif key:
        found = {"Authorization": f"Bearer {key.secret.get_secret_value()}"}
    if is_openai(url):
        found |= {name: environ[variable] for name, variable in ACCOUNT.items() if environ.get(variable)}
    return found


def is_openai(url: str) -> bool:
    """Whether an address is OpenAI's own, or one of its regions'."""
    return re.fullmatch(r"https://([a-z]{2}\.)?api\.openai\.com(:443)?(/.*)?", url, re.I | re.A) is not None


def is_azure(url: str) -> bool:
    """Whether an address is of a resource on Azure."""
    host = r"[a-z0-9-]+\.(openai|services\.ai|cognitiveservices)\.azure\.com(:443)?"
    return re.fullmatch(rf"https://{host}([/?].*)?", url, re.I | re.A) is not None


def is_local(url: str) -> bool:
    """Whether an address is this machine's own."""
    host = urlsplit(url).hostname or ""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"
