"""Chat completions of one OpenAI-compatible endpoint, well-behaved or not.

The key is in the SDK's client alone; text from the endpoint is cleared of it.
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
from eureka_loop.errors import EndpointError, EurekaError, NoAnswer, Unavailable, UnknownName
from eureka_loop.propose.llm.extract import one_line
from eureka_loop.propose.llm.settings import LLMSettings, api_key, configured_url

Body = dict[str, Any]

LIMITS = ("max_tokens", "max_completion_tokens")  # synonyms; newer models take only the second
OPTIONAL = frozenset({"temperature", "seed", *LIMITS})
LONGEST_WAIT = 120.0  # seconds of Retry-After up to which the SDK waits

_SHORTEST_SECRET = 8  # shorter "keys" (`ollama`, `x`) hide nothing, and may be part of honest text
_TIMED_OUT = (408, 504, 524)  # statuses with which a gateway gives up on a server that may go on
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError, httpx2.UnsupportedProtocol)
_NO_CHAT = re.compile(
    r"embed|whisper|tts|dall-e|image|audio|realtime|moderation|transcri|sora|davinci|babbage"
)
_TOO_LONG = re.compile(
    r"context (length|window|size)|maximum context|too (large|long|many)|at most|exceed", re.I
)
_UNSUPPORTED = re.compile(
    r"unsupported|not support|unrecogni|unknown|unexpected|not permitted|forbidden", re.I
)
_NO_MODEL = re.compile(
    r"model.*(not (be )?found|n[o']t exist|unknown|not available)|(unknown|invalid|no such) model"
    r"|valid model id|model_not_found",
    re.I | re.S,
)
_NO_CREDIT = re.compile(r"insufficient_quota|billing|credit|payment", re.I)
_BASE_URL = "is --base-url right? It usually ends in /v1"


class LostAnswer(openai.OpenAIError):
    """No answer arrived for a call that the endpoint may have served. The SDK doesn't repeat it."""


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
        self,
        model: str,
        messages: Sequence[Mapping[str, str]],
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
    ) -> Completion:
        """One choice.

        Raises:
            UnknownName: the endpoint doesn't know the model.
            NoAnswer: another attempt may succeed.
            EndpointError: it can't be reached, or refuses; one line.
        """
        create: Callable[..., Any] = self._client.chat.completions.with_raw_response.create
        while True:
            limit = next((name for name in LIMITS if name not in self._rejected), "")
            wanted = {"temperature": temperature, limit: max_tokens, "seed": seed}
            sent = {name: value for name, value in wanted.items() if name and name not in self._rejected}
            answer = self._answer(partial(create, model=model, messages=list(messages), **sent), sent, model)
            if isinstance(answer, EurekaError):
                raise answer
            if not isinstance(answer, str):
                return self._completion(answer, sent)
            self._rejected.add(answer)

    def models(self) -> list[str]:
        """Names of the models on offer; empty where the endpoint doesn't say."""
        answer = self._answer(self._client.models.with_raw_response.list)
        listed = answer.get("data") if isinstance(answer, dict) else None
        return sorted(str(row["id"]) for row in listed or () if isinstance(row, dict) and row.get("id"))

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

    def _answer(
        self, send: Callable[[], Any], sent: Collection[str] = (), model: str = ""
    ) -> Body | str | EurekaError:
        """The JSON object that came, the name of a rejected parameter, or an exception.

        Exceptions are returned, not raised: the key may be in the one they replace, and in this frame.
        """
        try:
            text = str(send().http_response.text)
        except LostAnswer as error:
            return NoAnswer(f"{self._clean(str(error))}; choose a faster model or endpoint", served=True)
        except openai.APIStatusError as error:
            return self._refused(error, sent, model)
        except openai.APIError as error:
            cause = self._clean(str(error.__cause__)) or type(error.__cause__).__name__
            advice = "is the server running, and is --base-url right?"
            return Unavailable(f"{self.url}: it can't be reached ({cause}); {advice}")
        try:
            body = json.loads(text)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            found = self._clean(text) or "empty"
            return NoAnswer(f"the answer is no chat completion: {found}; {_BASE_URL}", served=False)
        if body.get("error"):  # some gateways answer 200 where the server behind them failed
            reported = self._clean(json.dumps(body["error"]))
            return NoAnswer(f"the endpoint reports {reported}", served=False)
        return body

    def _refused(self, error: openai.APIStatusError, sent: Collection[str], model: str) -> str | EurekaError:
        """The parameter that an endpoint rejects, or what happened and what to do."""
        status, text = error.status_code, _text(error.body)
        if status in (400, 422) and (named := _rejected_parameter(error.param, text, sent)):
            return named
        if status in (400, 404, 422) and _NO_MODEL.search(text):
            return UnknownName("model", model, self.models(), hint=self.offer())
        lasting, advice = _advice(error, text)
        tries = int(error.request.headers.get("x-stainless-retry-count", "0")) + 1
        times = f", {tries} times" if tries > 1 else ""
        what = f"HTTP {status}: {self._clean(_message(error.body)) or 'no reason given'}{times}"
        return (Unavailable if lasting else EndpointError)(f"{self.url}: {what}; {advice}")

    def _completion(self, body: Body, sent: Mapping[str, Any]) -> Completion:
        choices = body.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        found, counts = _mapping(choice), _mapping(body.get("usage"))
        message = _mapping(found.get("message"))
        return Completion(
            text=None if choice is None else self.redact(_content(message.get("content"))),
            finish_reason=self.redact(str(found.get("finish_reason") or "stop")),
            refusal=self.redact(_content(message.get("refusal"))),
            model=self.redact(str(body.get("model") or "")),
            prompt_tokens=_count(counts.get("prompt_tokens")),
            completion_tokens=_count(counts.get("completion_tokens")),
            parameters=dict(sent),
        )

    def _clean(self, text: str) -> str:
        """Foreign text in one line: no key, tags, or control characters."""
        text = self.redact(text)  # before it is cut: a half of a key would pass
        return one_line(re.sub(r"<(style|script)\b.*?</\1>|<[^>]*>", " ", text, flags=re.S | re.I), 200)


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
            raise LostAnswer(f"no answer within {numbers.compact(seconds)} s") from None
        except httpx2.TransportError as error:
            raise LostAnswer(f"the connection broke ({error})") from None
        if response.status_code in _TIMED_OUT:
            raise LostAnswer(f"HTTP {response.status_code}: no answer in time")
        return response


@cache
def _certificates() -> ssl.SSLContext:
    """Read once: a tenth of a second for every client otherwise."""
    return httpx2.create_ssl_context()


def _rejected_parameter(named: str | None, text: str, sent: Collection[str]) -> str | None:
    """The optional parameter that an endpoint doesn't take, if the error is about one of those sent."""
    candidates = OPTIONAL.intersection(sent)
    places = {name: place.start() for name in candidates if (place := re.search(rf"\b{name}\b", text))}
    found = named if named in candidates else min(places, key=places.__getitem__, default=None)
    return None if found in LIMITS and _too_long(text) else found


def _advice(error: openai.APIStatusError, text: str) -> tuple[bool, str]:
    """Whether every other call will fail for the same reason, and what to do."""
    status, later = error.status_code, "try again later: `eureka resume` goes on from here"
    if status in (401, 403):
        return True, "check the key in EUREKA_API_KEY or OPENAI_API_KEY"
    if status == 402 or (status == 429 and _NO_CREDIT.search(text)):
        return True, "the account behind the key has no credit left"
    if status in (408, 409, 429) or status >= 500:
        wait = error.response.headers.get("retry-after", "")
        too_long = wait.isdigit() and int(wait) > LONGEST_WAIT
        return too_long, f"it asks to wait {wait} s: `eureka resume` after that" if too_long else later
    if any(name in text for name in LIMITS) and _too_long(text):
        return False, "lower --max-completion-tokens"
    if status in (404, 405):
        return False, _BASE_URL
    if _TOO_LONG.search(text):
        return False, "choose a model with a longer context"
    return False, "the endpoint doesn't accept this request; choose another model"


def _too_long(text: str) -> bool:
    """A limit was refused for its value, not for its name."""
    return bool(_TOO_LONG.search(text)) and not _UNSUPPORTED.search(text)


def _message(body: object) -> str:
    """The sentence in an error body; endpoints differ in where they put it."""
    if isinstance(body, Mapping):
        for key in ("message", "error", "detail"):
            if body.get(key):
                return _message(body[key])
    return _text(body)


def _text(body: object) -> str:
    return body if isinstance(body, str) else "" if body is None else json.dumps(body, default=str)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _content(content: object) -> str:
    """A message's text; some endpoints send it in parts."""
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None
