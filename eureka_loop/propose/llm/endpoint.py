"""Chat completions of one OpenAI-compatible endpoint, well-behaved or not.

The key lives in the SDK's client alone; text from the endpoint is cleared of it.
"""

from __future__ import annotations

import json
import os
import re
import ssl
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import httpx2
import openai

from eureka_loop import numbers
from eureka_loop.errors import EurekaError, NoAnswer, UnknownName
from eureka_loop.propose.llm import endpoint_errors as errors
from eureka_loop.propose.llm.settings import LLMSettings, api_key, configured_url

Message = Mapping[str, str]
Body = dict[str, Any]

_SHORTEST_SECRET = 8  # shorter "keys" (`ollama`, `x`) hide nothing, and may be part of honest text
_TIMED_OUT = (408, 504, 524)  # statuses with which a gateway gives up on a server that may go on
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError, httpx2.UnsupportedProtocol)
_NO_CHAT = re.compile(
    r"embed|whisper|tts|dall-e|image|audio|realtime|moderation|transcri|sora|davinci|babbage"
)


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer.

    Attributes:
        text: None where the endpoint sent no choice at all.
        prompt_tokens: as the endpoint counts; None where it doesn't, likewise `completion_tokens`.
        parameters: those really sent, without the ones that the endpoint rejects.
    """

    text: str | None
    finish_reason: str
    refusal: str
    model: str
    prompt_tokens: int | None
    completion_tokens: int | None
    parameters: Mapping[str, Any]


class Endpoint:
    """Chat completions, without the parameters that the endpoint turns out to reject.

    Raises:
        BadInput: no key, or a value that can't be a key.
    """

    def __init__(self, settings: LLMSettings, environ: Mapping[str, str] = os.environ) -> None:
        self.url = configured_url(settings, environ)
        self._key = api_key(self.url, environ)
        self._rejected: set[str] = set()
        self._client = openai.OpenAI(
            api_key=self._key.get_secret_value(),
            base_url=self.url,
            timeout=httpx2.Timeout(settings.timeout, connect=min(settings.timeout, 10.0)),
            max_retries=settings.retries,
            http_client=_HttpClient(verify=_certificates()),
        )

    def close(self) -> None:
        self._client.close()

    def complete(
        self, model: str, messages: Sequence[Message], *, max_tokens: int, temperature: float, seed: int
    ) -> Completion:
        """One choice.

        Raises:
            UnknownName: the endpoint doesn't know the model.
            NoAnswer: another attempt may succeed.
            EndpointError: it can't be reached, or refuses; one line.
        """
        create: Callable[..., Any] = self._client.chat.completions.with_raw_response.create
        wanted = {"temperature": temperature, "max_tokens": max_tokens, "seed": seed}
        while True:
            sent = self._accepted(wanted)
            answer = self._answer(partial(create, model=model, messages=list(messages), **sent), sent, model)
            if isinstance(answer, EurekaError):
                raise answer
            if not isinstance(answer, str):
                return self._completion(answer, sent)
            self._rejected.add(answer)

    def models(self) -> list[str]:
        """Names of the models on offer; empty where the endpoint doesn't say."""
        answer = self._answer(self._client.models.with_raw_response.list)
        listed = (answer.get("data") or answer.get("models") or []) if isinstance(answer, dict) else []
        rows = [row for row in listed if isinstance(row, Mapping)]
        return sorted({str(name) for row in rows if (name := row.get("id") or row.get("name"))})

    def offer(self, most: int = 20) -> str:
        """One line on the models on offer."""
        names = [name for name in self.models() if not _NO_CHAT.search(name)]
        more = f" and {len(names) - most} more" if len(names) > most else ""
        listed = f"offers {', '.join(names[:most])}{more}" if names else "lists no models"
        return f"{self.url} {listed}"

    def redact(self, text: str) -> str:
        """Text without the key, anything that looks like a part of one, or half a character."""
        text = text.encode("utf-8", "replace").decode()  # "\ud83d" alone is JSON, but fits into no file
        key = self._key.get_secret_value()
        if len(key) >= _SHORTEST_SECRET:
            text = text.replace(key, "[key]")
        return re.sub(r"\bsk-[\w*.-]{6,}", "[key]", text)

    def _accepted(self, wanted: Mapping[str, Any]) -> Body:
        """Parameters without the rejected ones; the token limit under the first name that isn't."""
        sent = {name: value for name, value in wanted.items() if name not in errors.LIMIT_NAMES}
        limit = [name for name in errors.LIMIT_NAMES if name not in self._rejected]
        if limit:
            sent[limit[0]] = wanted["max_tokens"]
        return {name: value for name, value in sent.items() if name not in self._rejected}

    def _answer(
        self, send: Callable[[], Any], sent: Collection[str] = (), model: str = ""
    ) -> Body | str | EurekaError:
        """The JSON object that came, the name of a rejected parameter, or an exception.

        Exceptions are returned, not raised: the key may be in the one they replace, and in this frame.
        """
        try:
            text = str(send().http_response.text)
        except errors.LostAnswer as error:
            return NoAnswer(f"{self._clean(str(error))}; choose a faster model or endpoint", served=True)
        except openai.APIError as error:
            named = errors.rejected_parameter(error, sent)
            if not named and errors.is_unknown_model(error):
                return UnknownName("model", model, self.models(), hint=self.offer())
            return named or errors.explained(error, self.url, self._clean)
        body = _json(text)
        if body is None:
            found = self._clean(text) or "empty"
            return NoAnswer(f"the answer is no chat completion: {found}; {errors.BASE_URL}", served=False)
        if body.get("error"):  # some gateways answer 200 where the server behind them failed
            reported = self._clean(json.dumps(body["error"]))
            return NoAnswer(f"the endpoint reports {reported}", served=False)
        return body

    def _completion(self, body: Body, sent: Mapping[str, Any]) -> Completion:
        choices = body.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        found, counts = _mapping(choice), _mapping(body.get("usage"))
        message = _mapping(found.get("message"))
        return Completion(
            text=None if choice is None else self.redact(_text(message.get("content"))),
            finish_reason=self.redact(str(found.get("finish_reason") or "stop")),
            refusal=self.redact(_text(message.get("refusal"))),
            model=self.redact(str(body.get("model") or "")),
            prompt_tokens=_count(counts.get("prompt_tokens")),
            completion_tokens=_count(counts.get("completion_tokens")),
            parameters=dict(sent),
        )

    def _clean(self, text: str) -> str:
        return errors.one_line(self.redact(text))  # in this order: a key cut in half would pass


class _HttpClient(openai.DefaultHttpxClient):
    """Raises `LostAnswer` for a request that was sent and not answered.

    The SDK would repeat it unseen; but each repetition may be charged, and needs a reservation of its own.
    """

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        try:
            response = super().send(request, **options)
        except _NOT_SENT:
            raise
        except httpx2.TimeoutException:
            seconds = request.extensions["timeout"]["read"]
            raise errors.LostAnswer(f"no answer within {numbers.compact(seconds)} s") from None
        except httpx2.TransportError as error:
            raise errors.LostAnswer(f"the connection broke ({error})") from None
        if response.status_code in _TIMED_OUT:
            raise errors.LostAnswer(f"HTTP {response.status_code}: no answer in time")
        return response


@cache
def _certificates() -> ssl.SSLContext:
    """Read once: a tenth of a second for every client otherwise."""
    return httpx2.create_ssl_context()


def _json(text: str) -> Body | None:
    try:
        body = json.loads(text)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(content: object) -> str:
    """A message's text; some endpoints send it in parts."""
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None
