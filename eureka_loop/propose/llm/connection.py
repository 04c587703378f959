"""Requests to one address, and answers that are bounded in bytes and time; redirects aren't followed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from eureka_loop import numbers
from eureka_loop.errors import NoAnswer
from eureka_loop.propose.llm.settings import is_local

TIMEOUT = 300.0  # seconds without a byte
DEADLINE = 1200.0  # seconds of one answer, however often a byte comes
MAX_BYTES = 4 << 20  # of one answer, as sent and as decompressed; a million tokens are less

_CERTIFICATES = httpx2.create_ssl_context()  # once: a tenth of a second for every client otherwise
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError, httpx2.UnsupportedProtocol)
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
        headers: of every request; the key is one of them.
        timeout: seconds without a byte.
        deadline: seconds of a whole answer.
    """

    def __init__(self, url: str, headers: Mapping[str, str], timeout: float, deadline: float) -> None:
        self.url = url
        self._headers, self._timeout, self._deadline = headers, timeout, deadline

    def send(
        self, path: str, body: Mapping[str, Any] | None = None, seconds: float | None = None
    ) -> Received | NoAnswer:
        """Ask once, by POST where there is a body, else by GET.

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
            return asyncio.run(self._exchange(client, path, body, limit))
        except TimeoutError:
            return NoAnswer(f"no whole answer within {numbers.compact(limit)} s; {LOST}")
        except _NOT_SENT as error:
            reason = f"it can't be reached ({_shown(error)}); is the server running, and is --base-url right?"
            return NoAnswer(reason, served=False, lasting=True)
        except httpx2.TimeoutException:
            return NoAnswer(f"no answer within {numbers.compact(min(self._timeout, limit))} s; {LOST}")
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            return NoAnswer(f"the connection broke ({_shown(error)}); {LOST}")

    def _client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            headers=self._headers,
            timeout=httpx2.Timeout(self._timeout, connect=min(self._timeout, 10.0)),
            verify=_CERTIFICATES,
            trust_env=not is_local(self.url),  # no proxy reaches this machine's own addresses
        )

    async def _exchange(
        self, client: httpx2.AsyncClient, path: str, body: Mapping[str, Any] | None, limit: float
    ) -> Received | NoAnswer:
        async with (
            asyncio.timeout(limit),
            client,
            client.stream("GET" if body is None else "POST", f"{self.url}/{path}", json=body) as answer,
        ):
            if "," in answer.headers.get("content-encoding", ""):  # little grows to anything, several times
                return NoAnswer("its answer is compressed more than once; choose another endpoint")
            content = bytearray()
            async for chunk in answer.aiter_bytes():
                content += chunk
                if max(len(content), answer.num_bytes_downloaded) > MAX_BYTES:
                    most = f"{MAX_BYTES >> 20} MiB"
                    return NoAnswer(f"its answer is longer than {most}; choose another model or endpoint")
        return Received(answer.status_code, content.decode("utf-8-sig", "replace"), answer.headers)


def _shown(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
