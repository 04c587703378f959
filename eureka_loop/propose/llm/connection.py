"""Requests to one address, and answers that are bounded in bytes and time; redirects aren't followed.

The SDK sends the requests. By itself it bounds no answer, follows redirects, and sends the account's headers
to any address; so it is given a client that doesn't.
"""

from __future__ import annotations

import asyncio
import os
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

import httpx2
import openai

from eureka_loop import numbers
from eureka_loop.errors import NoAnswer
from eureka_loop.propose.llm.settings import ACCOUNT, is_local, with_version

TIMEOUT = 300.0  # seconds without a byte
DEADLINE = 1200.0  # seconds of one answer, however often a byte comes
MAX_BYTES = 4 << 20  # of one answer, as sent and as decompressed; a million tokens are less

_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError, httpx2.UnsupportedProtocol)
_ENCODED = (b"content-encoding", b"content-length", b"transfer-encoding")  # headers of what was read already
CERTIFICATES = (
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
)  # the first that is set
LOST = "choose a faster model or endpoint"
_OWN_AUTHORITY = "for an authority of your own set SSL_CERT_FILE to its certificates"


@dataclass(frozen=True, slots=True)
class Received:
    """An answer of any status; its text is whole."""

    status: int
    text: str
    headers: Mapping[str, str]


class Connection:
    """
    Args:
        headers: of every request; the key is one of them, and the SDK doesn't have it.
        timeout: seconds without a byte.
        deadline: seconds of a whole answer.
    """

    def __init__(self, url: str, headers: Mapping[str, str], timeout: float, deadline: float) -> None:
        self.url = url
        self._headers, self._timeout, self._deadline = headers, timeout, deadline

    def send(
        self, body: Mapping[str, Any] | None = None, seconds: float | None = None
    ) -> Received | NoAnswer:
        """Ask once: for a chat completion where there is a body, else for the list of models.

        Exceptions are returned, not raised: the key may be in the one they replace, and in this frame.

        Args:
            seconds: a shorter deadline.
        """
        limit = self._deadline if seconds is None else min(seconds, self._deadline)
        variable, proxy = _proxy(self.url)
        try:
            client = self._client(proxy)
        except OSError as error:
            return _unusable(_certificates_from(), error)
        except (ImportError, ValueError, httpx2.InvalidURL) as error:
            return _unusable(variable, error)
        try:
            return asyncio.run(self._exchange(client, body, limit))
        except TimeoutError:
            return NoAnswer(f"no whole answer within {numbers.compact(limit)} s; {LOST}")
        except NoAnswer as unbounded:
            return unbounded
        except openai.APIConnectionError as error:  # a timeout is one
            cause = error.__cause__ or error
        if isinstance(cause, _NOT_SENT):
            shown, right = _shown(cause), "is the server running, and is --base-url right?"
            reason = f"it can't be reached ({shown}); {right}"
            if "CERTIFICATE_VERIFY_FAILED" in shown:
                source = _certificates_from() or "the system"
                reason = f"its certificate isn't trusted by those of {source} ({shown}); {_OWN_AUTHORITY}"
            elif variable:
                reason = f"it can't be reached through the proxy of {variable} ({shown}); {self.about_proxy}"
            return NoAnswer(reason, served=False, lasting=True)
        if isinstance(cause, httpx2.TimeoutException):
            return NoAnswer(f"no answer within {numbers.compact(min(self._timeout, limit))} s; {LOST}")
        return NoAnswer(f"the connection broke ({_shown(cause)}); {LOST}")

    @property
    def about_proxy(self) -> str:
        """Advice on the proxy in use."""
        return f"check or unset {_proxy(self.url)[0] or 'the proxy'}, or add the host to NO_PROXY"

    def _client(self, proxy: str | None) -> _BoundedClient:
        return _BoundedClient(
            self._headers,
            timeout=httpx2.Timeout(self._timeout, connect=min(self._timeout, 10.0)),
            verify=_certificates(*_certificates_in_use()),
            proxy=proxy,
            trust_env=False,
        )

    async def _exchange(
        self, client: _BoundedClient, body: Mapping[str, Any] | None, limit: float
    ) -> Received:
        # Each repetition may be charged, and needs a reservation of its own: no retries.
        url, version = with_version(self.url)
        common: dict[str, Any] = {"api_key": "none", "base_url": url, "max_retries": 0, "http_client": client}
        sdk: openai.AsyncOpenAI
        if version and re.search(
            r"/openai(/deployments/[^/]+)?\Z", url
        ):  # the SDK puts the model's deployment into the path
            sdk = openai.AsyncAzureOpenAI(api_version=version, **common)
        else:
            sdk = openai.AsyncOpenAI(default_query={"api-version": version} if version else None, **common)
        create: Callable[..., Any] = sdk.chat.completions.with_raw_response.create
        async with asyncio.timeout(limit), sdk:
            try:
                raw = await (sdk.models.with_raw_response.list() if body is None else create(**body))
                answer = raw.http_response
            except openai.APIStatusError as error:
                answer = error.response
        return Received(answer.status_code, answer.content.decode("utf-8-sig", "replace"), answer.headers)


class _BoundedClient(httpx2.AsyncClient):
    """Answers are read here, to their bound, before the SDK sees any of them."""

    def __init__(self, headers: Mapping[str, str], **settings: Any) -> None:
        super().__init__(**settings)
        self._only = headers

    async def send(self, request: httpx2.Request, **_: Any) -> httpx2.Response:
        """
        Raises:
            NoAnswer: the answer is too long, or compressed more than once.
        """
        for name in (
            "Authorization",
            "api-key",
            *ACCOUNT,
        ):  # the SDK's own, which it takes from the environment, too
            request.headers.pop(name, None)
        request.headers.update(self._only)
        answer = await super().send(request, stream=True, follow_redirects=False)
        try:
            content = await _read(answer)
        finally:
            await answer.aclose()
        kept = [(name, value) for name, value in answer.headers.raw if name.lower() not in _ENCODED]
        return httpx2.Response(answer.status_code, headers=kept, content=content, request=request)


def _proxy(url: str) -> tuple[str, str | None]:
    """The variable that names a proxy for an address, and the proxy; none reaches this machine itself."""
    at = urlsplit(url)
    if is_local(url) or proxy_bypass(at.hostname or ""):
        return "", None
    proxies = getproxies_environment()
    for name in (f"{at.scheme}_proxy", "all_proxy"):
        if proxy := proxies.get(name.removesuffix("_proxy")):
            variable = next((each for each in (name, name.upper()) if os.environ.get(each)), name)
            proxy = proxy.replace("socks://", "socks5://", 1) if proxy.startswith("socks://") else proxy
            return f"${variable}", proxy if "://" in proxy else f"http://{proxy}"
    return "", None


def _certificates_in_use() -> tuple[str, str]:
    """The variable that names certificates, and its value; empty for the system's own."""
    name = next((name for name in CERTIFICATES if os.environ.get(name)), "")
    return name, os.environ.get(name, "")


def _certificates_from() -> str:
    name = _certificates_in_use()[0]
    return f"${name}" if name else ""


@cache  # a tenth of a second for every client otherwise
def _certificates(_: str, path: str) -> ssl.SSLContext:
    """
    Raises:
        OSError: the variable names no file or folder of certificates.
    """
    if not path:
        return httpx2.create_ssl_context(trust_env=False)
    folder = Path(path).is_dir()
    return ssl.create_default_context(capath=path) if folder else ssl.create_default_context(cafile=path)


def _unusable(variable: str, error: Exception) -> NoAnswer:
    """A setting of the environment that no client can be made with; its value may hold a password."""
    if isinstance(error, ImportError):
        problem = "names a SOCKS proxy, which needs another package: pip install 'httpx2[socks]',"
    elif isinstance(error, OSError):
        problem = f"names certificates that can't be read ({error.strerror or type(error).__name__}): change"
    else:
        problem = "names no proxy: it must look like http://HOST:PORT or socks5://HOST:PORT; change"
    return NoAnswer(f"{variable} {problem} or unset {variable}", served=False, lasting=True)


async def _read(answer: httpx2.Response) -> bytes:
    if "," in answer.headers.get("content-encoding", ""):  # little grows to anything, several times
        raise NoAnswer("its answer is compressed more than once; choose another endpoint")
    content = bytearray()
    async for chunk in answer.aiter_bytes():
        content += chunk
        if max(len(content), answer.num_bytes_downloaded) > MAX_BYTES:
            most = f"{MAX_BYTES >> 20} MiB"
            raise NoAnswer(f"its answer is longer than {most}; choose another model or endpoint")
    return bytes(content)


def _shown(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
