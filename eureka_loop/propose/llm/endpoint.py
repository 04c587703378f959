"""One OpenAI-compatible endpoint: ask for a completion, bear with what real endpoints do.

The key lives in the SDK's client alone; whatever text comes from the endpoint is cleared of it.
"""

from __future__ import annotations

import json
import random
import re
import ssl
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, NoReturn, cast

import httpx2
import openai
from pydantic import SecretStr

from eureka_loop.errors import EndpointError, Unavailable, UnknownName
from eureka_loop.propose.llm.complaints import LIMIT_NAMES, Complaint, no_completion, one_line, understand

Message = Mapping[str, str]
Body = dict[str, Any]

_FIRST_WAIT, _LONGEST_BACKOFF = 1.0, 30.0  # seconds
_SHORTEST_SECRET = 8  # shorter "keys" (`ollama`, `x`) hide nothing, and may be part of honest text
_NO_CHAT = re.compile(
    r"embed|whisper|tts|dall-e|image|audio|realtime|moderation|transcri|sora|davinci|babbage"
)


@dataclass(frozen=True, slots=True)
class Completion:
    """What came back.

    Attributes:
        text: None where the endpoint sent no choice at all.
        prompt_tokens: as the endpoint counts; None where it doesn't, likewise `completion_tokens`.
        parameters: what was really sent, after leaving out what the endpoint rejects.
    """

    text: str | None
    finish_reason: str
    refusal: str
    model: str
    prompt_tokens: int | None
    completion_tokens: int | None
    parameters: Mapping[str, Any]


class Endpoint:
    """Chat completions, with retries, and without the parameters that the endpoint turns out to reject.

    Args:
        timeout: seconds without a byte before a call counts as dead.
        retries: tries after the first, for what may pass: 429, 5xx, timeouts, dropped connections.
        sleep: waits between them.
    """

    def __init__(
        self, base_url: str, key: SecretStr, *, timeout: float, retries: int, sleep: Callable[[float], None]
    ) -> None:
        self.url = base_url.rstrip("/")
        self._key, self._timeout, self._retries, self._sleep = key, timeout, retries, sleep
        self._rejected: set[str] = set()
        self._client = openai.OpenAI(
            api_key=key.get_secret_value(),
            base_url=self.url,
            timeout=httpx2.Timeout(timeout, connect=min(timeout, 10.0)),
            max_retries=0,  # ours tell what may pass from what won't, and wait by the clock they are given
            http_client=openai.DefaultHttpxClient(verify=_certificates()),
        )

    def close(self) -> None:
        self._client.close()

    def complete(
        self, model: str, messages: Sequence[Message], *, max_tokens: int, temperature: float, seed: int
    ) -> Completion:
        """One choice.

        Raises:
            UnknownName: the endpoint doesn't know the model.
            EndpointError: it can't be reached, or says no; one line.
        """
        wanted = {"temperature": temperature, "max_tokens": max_tokens, "seed": seed}
        while True:
            sent = self._accepted(wanted)
            answer = self._answer(partial(self._post, model, messages, sent), sent, spread=seed)
            if not isinstance(answer, Complaint):
                return self._completion(answer, sent)
            if answer.verdict == "unknown_model":
                raise UnknownName("model", model, self.models(), hint=self.offer())
            if answer.verdict != "drop":
                self._give_up(answer)
            self._rejected.add(answer.parameter)

    def models(self) -> list[str]:
        """Names of the models on offer; empty where the endpoint doesn't say."""
        answer = self._answer(self._client.models.with_raw_response.list, (), spread=0)
        listed = [] if isinstance(answer, Complaint) else answer.get("data") or answer.get("models")
        rows = [row for row in listed or [] if isinstance(row, Mapping)]
        return sorted({str(name) for row in rows if (name := row.get("id") or row.get("name"))})

    def offer(self, most: int = 20) -> str:
        """One line on the models on offer."""
        names = [name for name in self.models() if not _NO_CHAT.search(name)]
        more = f" and {len(names) - most} more" if len(names) > most else ""
        return (
            f"{self.url} offers {', '.join(names[:most])}{more}" if names else f"{self.url} lists no models"
        )

    def redact(self, text: str) -> str:
        """Text without the key, nor anything that looks like a part of one, nor half a character."""
        text = text.encode("utf-8", "replace").decode()  # "\ud83d" alone is JSON, but fits into no file
        key = self._key.get_secret_value()
        if len(key) >= _SHORTEST_SECRET:
            text = text.replace(key, "[key]")
        return re.sub(r"\bsk-[\w*.-]{6,}", "[key]", text)

    def _post(self, model: str, messages: Sequence[Message], sent: Mapping[str, Any]) -> Any:
        create: Callable[..., Any] = self._client.chat.completions.with_raw_response.create
        return create(model=model, messages=list(messages), **sent)

    def _accepted(self, wanted: Mapping[str, Any]) -> Body:
        """Parameters less the rejected ones; the token limit under the first name that isn't."""
        sent = {name: value for name, value in wanted.items() if name not in LIMIT_NAMES}
        limit = [name for name in LIMIT_NAMES if name not in self._rejected]
        if limit:
            sent[limit[0]] = wanted["max_tokens"]
        return {name: value for name, value in sent.items() if name not in self._rejected}

    def _answer(self, send: Callable[[], Any], sent: Collection[str], *, spread: int) -> Body | Complaint:
        """The JSON object that came back, or why there is none after every retry that makes sense."""
        jitter = random.Random(spread)  # parallel calls don't come back all at the same moment
        tries = 0
        while True:
            answer = self._try(send, sent)
            tries += 1
            if not isinstance(answer, Complaint) or answer.verdict != "retry":
                return answer
            if tries > min(self._retries, answer.tries - 1):
                times = f", {tries} times" if tries > 1 else ""
                return replace(answer, verdict="give_up", what=answer.what + times)
            backoff = min(_FIRST_WAIT * 2 ** (tries - 1), _LONGEST_BACKOFF) * jitter.uniform(1.0, 1.5)
            self._sleep(backoff if answer.wait is None else answer.wait)

    def _try(self, send: Callable[[], Any], sent: Collection[str]) -> Body | Complaint:
        try:
            text = send().http_response.text
        except openai.APIError as error:
            return understand(error, sent, timeout=self._timeout, clean=self._clean)
        try:
            body = json.loads(text)
        except ValueError:
            return no_completion(self._clean(text))
        if not isinstance(body, dict):
            return no_completion(self._clean(text))
        if body.get("error"):  # some gateways say 200 and mean that what is behind them failed
            return Complaint("retry", f"the endpoint reports {self._clean(json.dumps(body['error']))}")
        return body

    def _completion(self, body: Body, sent: Mapping[str, Any]) -> Completion:
        choices, usage = body.get("choices"), body.get("usage")
        choice = choices[0] if isinstance(choices, list) and choices else None
        found = choice if isinstance(choice, dict) else {}
        message = found.get("message") if isinstance(found.get("message"), dict) else {}
        counts = usage if isinstance(usage, dict) else {}
        return Completion(
            text=None if choice is None else self.redact(_text(cast(Body, message).get("content"))),
            finish_reason=self.redact(str(found.get("finish_reason") or "stop")),
            refusal=self.redact(_text(cast(Body, message).get("refusal"))),
            model=self.redact(str(body.get("model") or "")),
            prompt_tokens=_count(counts.get("prompt_tokens")),
            completion_tokens=_count(counts.get("completion_tokens")),
            parameters=dict(sent),
        )

    def _give_up(self, complaint: Complaint) -> NoReturn:
        advice = f"; {complaint.advice}" if complaint.advice else ""
        kind = Unavailable if complaint.lasting else EndpointError
        raise kind(f"{self.url}: {complaint.what}{advice}")

    def _clean(self, text: str) -> str:
        return one_line(self.redact(text))  # in this order: a key cut in half would pass


@cache
def _certificates() -> ssl.SSLContext:
    """Read once: a tenth of a second for every client otherwise."""
    return httpx2.create_ssl_context()


def _text(content: object) -> str:
    """A message's text; some endpoints send it in parts."""
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None
