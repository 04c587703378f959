"""Chat completions of one OpenAI-compatible endpoint, well-behaved or not.

The key is in the SDK's client alone; text from the endpoint is cleared of it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx2
import openai
from pydantic import TypeAdapter

from eureka_loop import numbers
from eureka_loop.errors import EndpointError, EurekaError, NoAnswer, Unavailable, UnknownName
from eureka_loop.propose.llm.extract import one_line
from eureka_loop.propose.llm.settings import api_key, configured_url

TIMEOUT = 300.0  # seconds without a byte
LIMITS = ("max_tokens", "max_completion_tokens")  # synonyms; newer models take only the second
LONGEST_WAIT = 120.0  # seconds of Retry-After that are waited for

_CERTIFICATES = httpx2.create_ssl_context()  # once: a tenth of a second for every client otherwise
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
_LOST = "choose a faster model or endpoint"


@dataclass(frozen=True, slots=True)
class Message:
    """Some endpoints send the content in parts."""

    content: str | list[dict[str, Any]] | None = None
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    message: Message = field(default_factory=Message)
    finish_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """Tokens as the endpoint counts; None where it doesn't."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A chat completion, a list of models, or an error: the JSON of an endpoint, as far as it is used."""

    choices: list[Choice] | None = None
    usage: Counts | None = None
    model: str | None = None
    data: list[dict[str, Any]] | None = None
    error: Any = None

    @property
    def text(self) -> str:
        content = self.choices[0].message.content if self.choices else None
        return "".join(map(_part, content)) if isinstance(content, list) else content or ""


class Endpoint:
    """Chat completions, without the parameters that the endpoint turns out to reject.

    Raises:
        BadInput: no key, or a value that can't be a key.
    """

    def __init__(
        self, base_url: str | None, environ: Mapping[str, str] = os.environ, timeout: float = TIMEOUT
    ) -> None:
        self.url = configured_url(base_url, environ)
        self._key, self._timeout = api_key(self.url, environ), timeout
        self._rejected: set[str] = set()
        self._client = openai.OpenAI(
            api_key=self._key.get_secret_value(),
            base_url=self.url,
            timeout=httpx2.Timeout(timeout, connect=min(timeout, 10.0)),
            max_retries=0,  # each repetition may be charged, and needs a reservation of its own
            http_client=openai.DefaultHttpxClient(verify=_CERTIFICATES),
        )

    def close(self) -> None:
        self._client.close()

    def complete(
        self, model: str, messages: Sequence[Mapping[str, str]], limit: int, *, temperature: float, seed: int
    ) -> tuple[Answer, Mapping[str, Any]]:
        """One answer, and the parameters really sent, without the ones that the endpoint rejects.

        Args:
            limit: on the tokens of the reply.

        Raises:
            UnknownName: the endpoint doesn't know the model.
            NoAnswer: another attempt may succeed.
            EndpointError: it refuses; one line.
        """
        create: Callable[..., Any] = self._client.chat.completions.with_raw_response.create
        while True:
            name = next((name for name in LIMITS if name not in self._rejected), "")
            wanted = {"temperature": temperature, name: limit, "seed": seed}
            sent = {name: value for name, value in wanted.items() if name and name not in self._rejected}
            answer = self._answer(partial(create, model=model, messages=list(messages), **sent), sent, model)
            if isinstance(answer, EurekaError):
                raise answer
            if isinstance(answer, Answer):
                return answer, sent
            self._rejected.add(answer)

    def models(self) -> list[str]:
        """Names of the models on offer; empty where the endpoint doesn't say."""
        answer = self._answer(self._client.models.with_raw_response.list)
        listed = answer.data if isinstance(answer, Answer) else None
        return sorted(str(row["id"]) for row in listed or () if row.get("id"))

    def offer(self, most: int = 20) -> str:
        """One line on the models on offer."""
        names = [name for name in self.models() if not _NO_CHAT.search(name)]
        more = f" and {len(names) - most} more" if len(names) > most else ""
        listed = f"offers {', '.join(names[:most])}{more}" if names else "lists no models"
        return f"{self.url} {listed}"

    def _answer(
        self, send: Callable[[], Any], sent: Collection[str] = (), model: str = ""
    ) -> Answer | str | EurekaError:
        """The answer, the name of a rejected parameter, or an exception.

        Exceptions are returned, not raised: the key may be in the one they replace, and in this frame.
        """
        try:
            text = str(send().http_response.text)
        except openai.APIStatusError as error:
            return self._refused(error, sent, model)
        except openai.APIError as error:
            cause = error.__cause__
            shown = self._clean(str(cause)) or type(cause).__name__
            if isinstance(cause, _NOT_SENT):
                reason = f"it can't be reached ({shown}); is the server running, and is --base-url right?"
                return NoAnswer(reason, served=False, lasting=True)
            lost = f"no answer within {numbers.compact(self._timeout)} s"
            broken = f"the connection broke ({shown})"
            return NoAnswer(f"{lost if isinstance(error, openai.APITimeoutError) else broken}; {_LOST}")
        try:
            whole = json.dumps(json.loads(text), ensure_ascii=False)  # no escapes that could hide the key
            answer = TypeAdapter(Answer).validate_json(self._redact(whole))
        except ValueError:
            found = self._clean(text) or "empty"
            return NoAnswer(f"the answer is no chat completion: {found}; {_BASE_URL}", served=False)
        if answer.error:  # some gateways answer 200 where the server behind them failed
            reported = self._clean(json.dumps(answer.error))
            return NoAnswer(f"the endpoint reports {reported}", served=False)
        return answer

    def _refused(self, error: openai.APIStatusError, sent: Collection[str], model: str) -> str | EurekaError:
        """The parameter that an endpoint rejects, or what happened and what to do."""
        status, text = error.status_code, error.response.text
        about_value = bool(_TOO_LONG.search(text)) and not _UNSUPPORTED.search(text)
        if status in (400, 422):
            named = [name for name in sent if name == error.param or re.search(rf"\b{name}\b", text)]
            named.sort(key=lambda name: (name != error.param, text.find(name)))
            if named and not (named[0] in LIMITS and about_value):
                return named[0]
        if status in (400, 404, 422) and _NO_MODEL.search(text):
            return UnknownName("model", model, self.models(), hint=self.offer())
        what = f"HTTP {status}: {self._clean(_message(error.body)) or 'no reason given'}"
        if status in _TIMED_OUT:
            return NoAnswer(f"{what}; {_LOST}")
        wait = error.response.headers.get("retry-after", "")
        seconds = float(wait) if re.fullmatch(r"\d+(\.\d+)?", wait) else 0.0
        busy = status in (409, 429) or status >= 500
        no_credit = status == 402 or (status == 429 and _NO_CREDIT.search(text))
        if busy and not no_credit and seconds <= LONGEST_WAIT:
            later = "try again later: `eureka resume` goes on from here"
            return NoAnswer(f"{what}; {later}", served=False, wait=seconds)
        rules = (  # the first that holds; whether every other call will fail, too; what to do
            (status in (401, 403), True, "check the key in EUREKA_API_KEY or OPENAI_API_KEY"),
            (no_credit, True, "the account behind the key has no credit left"),
            (busy, True, f"it asks to wait {wait} s: `eureka resume` after that"),
            (about_value and any(name in text for name in LIMITS), False, "lower --max-completion-tokens"),
            (status in (404, 405), False, _BASE_URL),
            (_TOO_LONG.search(text), False, "choose a model with a longer context"),
            (True, False, "the endpoint doesn't accept this request; choose another model"),
        )
        lasting, advice = next(rule[1:] for rule in rules if rule[0])
        return (Unavailable if lasting else EndpointError)(f"{self.url}: {what}; {advice}")

    def _redact(self, text: str) -> str:
        """Text without the key, anything that looks like a part of one, or half a character."""
        text = text.encode("utf-8", "replace").decode()  # "\ud83d" alone is JSON, but fits into no file
        key = self._key.get_secret_value()
        if len(key) >= _SHORTEST_SECRET:
            text = text.replace(key, "[key]")
        return re.sub(r"\bsk-[\w*.-]{6,}", "[key]", text)

    def _clean(self, text: str) -> str:
        """Foreign text in one line: no key, tags, or control characters."""
        text = self._redact(text)  # before it is cut: a half of a key would pass
        return one_line(re.sub(r"<(style|script)\b.*?</\1>|<[^>]*>", " ", text, flags=re.S | re.I), 200)


def _part(part: Mapping[str, Any]) -> str:
    return str(part.get("text") or "")


def _message(body: object) -> str:
    """The sentence in an error body; endpoints differ in where they put it."""
    if isinstance(body, Mapping):
        for key in ("message", "error", "detail"):
            if body.get(key):
                return _message(body[key])
    return body if isinstance(body, str) else "" if body is None else json.dumps(body, default=str)
