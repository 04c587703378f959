"""Requests to one address, and answers that are bounded in bytes and time; redirects aren't followed.

The SDK sends the requests. By itself it bounds no answer, follows redirects, and sends the account's headers
to any address; so it is given a client that doesn't.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import openai

from eureka_loop import numbers
from eureka_loop.errors import NoAnswer
from eureka_loop.propose.llm.settings import ACCOUNT, is_local

TIMEOUT = 300.0  # seconds without a byte
DEADLINE = 1200.0  # seconds of one answer, however often a byte comes
MAX_BYTES = 4 << 20  # of one answer, as sent and as decompressed; a million tokens are less

_CERTIFICATES = httpx2.create_ssl_context()  # once: a tenth of a second for every client otherwise
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError, httpx2.UnsupportedProtocol)
_ENCODED = (b"content-encoding", b"content-length", b"transfer-encoding")  # headers of what was read already
LOST = "choose a faster model or endpoint"


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
        try:
            client = self._client()
        except (ImportError, ValueError, httpx2.InvalidURL) as error:
            reason = f"the environment names a proxy that can't be used ({_shown(error)}); change or unset it"
            return NoAnswer(reason, served=False, lasting=True)
        try:
            return asyncio.run(self._exchange(client, body, limit))
        except TimeoutError:
            return NoAnswer(f"no whole answer within {numbers.compact(limit)} s; {LOST}")
        except NoAnswer as unbounded:
            return unbounded
        except openai.APIConnectionError as error:  # a timeout is one
            cause = error.__cause__ or error
        if isinstance(cause, _NOT_SENT):
            reason = f"it can't be reached ({_shown(cause)}); is the server running, and is --base-url right?"
            return NoAnswer(reason, served=False, lasting=True)
        if isinstance(cause, httpx2.TimeoutException):
            return NoAnswer(f"no answer within {numbers.compact(min(self._timeout, limit))} s; {LOST}")
        return NoAnswer(f"the connection broke ({_shown(cause)}); {LOST}")

    def _client(self) -> _BoundedClient:
        return _BoundedClient(
            self._headers,
            timeout=httpx2.Timeout(self._timeout, connect=min(self._timeout, 10.0)),
            verify=_CERTIFICATES,
            trust_env=not is_local(self.url),  # no proxy reaches this machine's own addresses
        )

    async def _exchange(
        self, client: _BoundedClient, body: Mapping[str, Any] | None, limit: float
    ) -> Received:
        # Each repetition may be charged, and needs a reservation of its own: no retries.
        sdk = openai.AsyncOpenAI(api_key="none", base_url=self.url, max_retries=0, http_client=client)
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
        for name in ("Authorization", *ACCOUNT):  # the SDK's own, which it takes from the environment, too
            request.headers.pop(name, None)
        request.headers.update(self._only)
        answer = await super().send(request, stream=True, follow_redirects=False)
        try:
            content = await _read(answer)
        finally:
            await answer.aclose()
        kept = [(name, value) for name, value in answer.headers.raw if name.lower() not in _ENCODED]
        return httpx2.Response(answer.status_code, headers=kept, content=content, request=request)


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
