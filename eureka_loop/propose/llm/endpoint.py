"""Chat completions of one OpenAI-compatible endpoint, well-behaved or not.

The key is in the headers of its connection alone; text from the endpoint is cleared of it.
"""

from __future__ import annotations

import json
import math
import os
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic_core import from_json

from eureka_loop import files
from eureka_loop.errors import EndpointError, EurekaError, NoAnswer, Unavailable, UnknownName
from eureka_loop.propose.llm import answer as answers
from eureka_loop.propose.llm import images, refusal
from eureka_loop.propose.llm.answer import Answer
from eureka_loop.propose.llm.connection import DEADLINE, LOST, TIMEOUT, Connection, Received
from eureka_loop.propose.llm.refusal import SYSTEM, WHOLE
from eureka_loop.propose.llm.settings import api_key, configured_url, headers, is_azure, with_version
from eureka_loop.records import Reply
from eureka_loop.text import one_line

LIMITS = ("max_tokens", "max_completion_tokens")  # synonyms; newer models take only the second
LONGEST_WAIT = 120.0  # seconds of Retry-After that are waited for
LISTING = 30.0  # seconds for the list of models
IMAGES = "images"  # no parameter; some endpoints reject them
ADAPTATIONS = 12  # of one call; more than there is to leave out or to lower

_SHORTEST_SECRET = 8  # shorter "keys" (`ollama`, `x`) hide nothing, and may be part of honest text
_READ = 4000  # characters of an error that are looked at
_LONGEST_NAME = 100  # characters of a model's name
_COMPARED = 1000  # names of models, a millisecond each
_TIMED_OUT = (408, 504, 524)  # statuses with which a gateway gives up on a server that may go on
_NO_CHAT = re.compile(
    r"embed|whisper|tts|dall-e|image|audio|realtime|moderation|transcri|sora|davinci|babbage"
)
_NO_IMAGES = re.compile(r"image|vision|multi-?modal|(be|valid|expected|of type) a? ?str", re.I)
_NOT_ABOUT_IMAGES = (401, 402, 403, 429)
_TAGS = re.compile(r"<[^<>]*>")
_HIDDEN = re.compile(r"</?(?:style|script)\b[^<>]*>", re.I)
_INSTEAD = {
    SYSTEM: "its text goes into the user's turn",
    WHOLE: "a stream is asked for",
    IMAGES: "they aren't sent",
    "seed": "it isn't sent; replies can't be repeated",
    "stream_options": "it isn't sent; tokens are estimated",
}
_BASE_URL = "is --base-url right? It usually ends in /v1"


class Rejected(NamedTuple):
    """A parameter or a feature that an endpoint doesn't take."""

    name: str
    most: float  # the value that it takes; 0 for none
    why: str


class Endpoint:
    """Chat completions, without the parameters that the endpoint turns out to reject.

    Raises:
        BadInput: no key, or a value that can't be a key.
    """

    def __init__(
        self,
        base_url: str | None,
        environ: Mapping[str, str] = os.environ,
        timeout: float = TIMEOUT,
        deadline: float = DEADLINE,
        folder: Path | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._folder = folder
        self.url = configured_url(base_url, environ)
        self._key = api_key(self.url, environ)
        self.azure = is_azure(self.url) or bool(with_version(self.url)[1])  # it lists models, not deployments
        self.deadline = deadline
        self._rejected: set[str] = set()
        self._most: dict[str, float] = {}  # values that are allowed, of parameters that were above them
        self._say, self._adapting = say, threading.Lock()
        self._connection = Connection(self.url, headers(self.url, self._key, environ), timeout, deadline)

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
        end = time.monotonic() + self.deadline
        for _ in range(ADAPTATIONS):
            name = next((name for name in LIMITS if name not in self._rejected), "")
            wanted: dict[str, Any] = {"temperature": temperature, name: limit, "seed": seed}
            wanted |= {each: most for each, most in self._most.items() if most < wanted.get(each, 0)}
            if WHOLE in self._rejected:
                wanted |= {"stream": True, "stream_options": {"include_usage": True}}
            sent = {name: value for name, value in wanted.items() if name and name not in self._rejected}
            turns = _without_system(messages) if SYSTEM in self._rejected else messages
            turns = images.attached(turns, self._folder if self.takes_images else None)
            body = {"model": model, "messages": turns, **sent}
            answer = self._answer(body, sent, end - time.monotonic())
            if isinstance(answer, EurekaError):
                raise answer
            if isinstance(answer, Answer):
                return answer, sent
            self._adapt(answer, sent)
        raise EndpointError(f"{self.url}: it refuses one value after another; choose another model")

    def _adapt(self, rejected: Rejected, sent: Mapping[str, Any]) -> None:
        """Ask without something, or with a lower value, from now on; say so once."""
        name, most, why = rejected
        with self._adapting:
            if name in self._rejected or (most and self._most.get(name, math.inf) <= most):
                return  # another thread found out
            if most:
                self._most[name] = most
            else:
                self._rejected.add(name)
            if name in LIMITS and not most and not self._rejected.issuperset(LIMITS):
                return  # the same value under its other name
            value = f" {sent[name]}" if name in sent and name != "stream_options" else ""
            then = (
                f"{most} is used" if most else _INSTEAD.get(name, "it isn't sent; the model's default holds")
            )
            self._say(f"{self.url} refuses {name}{value} ({why}): {then}")

    @property
    def takes_images(self) -> bool:
        """Whether it has rejected none."""
        return IMAGES not in self._rejected

    def models(self) -> list[str]:
        """Names of the models on offer; empty where the endpoint doesn't say."""
        listed = self.listing()
        return [] if isinstance(listed, EurekaError) else listed

    def listing(self) -> list[str] | EurekaError:
        """Names of the models on offer, or why there are none."""
        answer = self._answer(seconds=LISTING)
        if not isinstance(answer, Answer):
            return answer if isinstance(answer, EurekaError) else EndpointError(f"{self.url}: {answer.why}")
        return sorted({row.id for row in answer.data or () if row.id and len(row.id) <= _LONGEST_NAME})

    def offer(self, most: int = 20) -> str:
        """One line on the models on offer."""
        return self._offer(self.models(), most)

    def _offer(self, listed: Sequence[str], most: int = 20) -> str:
        names = [name for name in listed if not _NO_CHAT.search(name)]
        more = f" and {len(names) - most} more" if len(names) > most else ""
        listing = f"offers {', '.join(names[:most])}{more}" if names else "lists no models"
        return f"{self.url} {listing}"

    def _answer(
        self,
        body: Mapping[str, Any] | None = None,
        sent: Mapping[str, Any] = MappingProxyType({}),
        seconds: float | None = None,
    ) -> Answer | Rejected | EurekaError:
        """The answer, something that is rejected, or an exception.

        Exceptions are returned, not raised: the key may be in the one they replace, and in this frame.
        """
        received = self._connection.send(body, seconds)
        if isinstance(received, NoAnswer):
            return received
        model = "" if body is None else str(body["model"])
        if received.status >= 300:
            refused = self._refused(received, sent, model)
            shown = body is not None and any(isinstance(each["content"], list) for each in body["messages"])
            refuses = received.status not in _NOT_ABOUT_IMAGES and _NO_IMAGES.search(received.text[:_READ])
            if shown and refuses and not isinstance(refused, Rejected):
                return Rejected(IMAGES, 0, self._clean(answers.error_body(received.text)[0]))
            return refused
        try:
            answer = answers.read(received.text, self._redact)
        except ValueError:
            found = self._clean(received.text) or "empty"
            return NoAnswer(f"the answer is no chat completion: {found}; {_BASE_URL}", served=False)
        if answer.problem:
            text = json.dumps({"error": answer.problem}, ensure_ascii=False, default=str)
            status = answers.status(answer.problem)
            status = 429 if status == 500 and refusal.BUSY.search(text[:_READ]) else status
            return self._refused(Received(status, text, received.headers), sent, model, inside=True)
        return answer

    def _refused(
        self, received: Received, sent: Mapping[str, Any], model: str, *, inside: bool = False
    ) -> Rejected | EurekaError:
        """The parameter or feature that an endpoint rejects, or its problem with advice.

        Args:
            inside: the error came in place of a reply, and the status is the one that it states.
        """
        status, (message, param) = received.status, answers.error_body(received.text)
        text = self._redact(received.text)[:_READ]
        if status < 400:
            place = self._clean(received.headers.get("location", "")) or "another address"
            problem = f"HTTP {status}: it sends its callers on to {place}, where no key and no prompt is sent"
            return Unavailable(f"{self.url}: {problem}; if you trust that address, give it as --base-url")
        about_value = bool(refusal.TOO_LONG.search(text)) and not refusal.UNSUPPORTED.search(text)
        reason = self._clean(message)
        filtered = status in (400, 403) and refusal.FILTERED.search(text)
        if status in (400, 422) and not filtered and (rejected := self._rejected_by(text, param, sent)):
            return Rejected(*rejected, reason)
        thing = refusal.feature(text) if sent and status in (400, 403, 422, 500, 501) else ""
        if thing and thing not in self._rejected and not filtered:
            return Rejected(thing, 0, reason)
        if status in (400, 404, 422) and model and refusal.NO_MODEL.search(text):
            if self.azure:
                advice = "give the name of a deployment of this resource with --model"
                return Unavailable(f"{self.url}: HTTP {status}: {reason}; {advice}")
            listed = self.models()
            like = [name for name in listed if abs(len(name) - len(model)) <= len(model)][:_COMPARED]
            return UnknownName("model", model, like, hint=self._offer(listed))
        what = f"{'the endpoint reports' if inside else f'HTTP {status}:'} {reason or 'no reason given'}"
        if status in _TIMED_OUT and not inside:
            return NoAnswer(f"{what}; {LOST}")
        seconds = refusal.wait(received.headers.get("retry-after", ""), text)
        busy = status in (408, 409, 429) or status >= 500
        no_credit = refusal.no_credit(status, text)
        if busy and not no_credit and seconds <= LONGEST_WAIT:
            later = "try again later: `eureka resume` goes on from here"
            return NoAnswer(f"{what}; {later}", served=False, wait=seconds)
        rules = (  # the first that holds; whether every other call will fail, too; what to do
            (filtered, False, self._about_filter(received.text)),
            (status in (401, 403), True, self._about_key()),
            (status == 407, True, self._connection.about_proxy),
            (no_credit, True, "the account behind the key has no credit left"),
            (busy, True, f"it asks to wait {seconds:.0f} s: `eureka resume` after that"),
            (about_value and any(name in text for name in LIMITS), False, "lower --max-completion-tokens"),
            (status in (404, 405), False, _BASE_URL),
            (refusal.TOO_LONG.search(text), False, "choose a model with a longer context"),
            (True, False, "the endpoint doesn't accept this request; choose another model"),
        )
        lasting, advice = next(rule[1:] for rule in rules if rule[0])
        return (Unavailable if lasting else EndpointError)(f"{self.url}: {what}; {advice}")

    def _rejected_by(self, text: str, param: str, sent: Mapping[str, Any]) -> tuple[str, float] | None:
        """The parameter that an error is about, and the value that is allowed; 0: it isn't taken at all."""
        limit = next((name for name in LIMITS if name in sent), "")
        left = refusal.space(text)
        if limit and left is not None:
            return (limit, left) if refusal.LEAST <= left < sent[limit] else None
        named = [name for name in sent if name == param or re.search(rf"\b{name}\b", text)]
        named = [name for name in named if name != "stream"]
        if not named:
            return None
        name = min(named, key=lambda name: (name != param, text.find(name)))
        known = name in (limit, "temperature") and not refusal.UNSUPPORTED.search(text)
        most = refusal.largest(text, sent[name]) if known else 0.0
        if name == limit:
            most = int(most) if most >= refusal.LEAST else 0
            return None if not most and refusal.TOO_LONG.search(text) and known else (name, most)
        return name, most

    def _about_filter(self, text: str) -> str:
        try:
            names = answers.filtered(from_json(text))
        except ValueError:
            names = ""
        found = f" ({one_line(names, 200)})" if names else ""
        return f"a content filter withheld the prompt{found}: put the task in other words"

    def cleared(self, reply: Reply) -> Reply:
        """A reply without the key, which is whole only here where it came in pieces."""
        text = self._redact(json.dumps(files.plain(reply), ensure_ascii=False))
        return files.validated(json.loads(text), Reply, "the reply")

    def _about_key(self) -> str:
        if self._key is not None:
            return f"check the key in {self._key.name}"
        if is_azure(self.url):
            return "it wants a key: set AZURE_OPENAI_API_KEY or EUREKA_API_KEY"
        return "it wants a key: set EUREKA_API_KEY (OPENAI_API_KEY goes to OpenAI's own address alone)"

    def _redact(self, text: str) -> str:
        """Text without the key, anything that looks like a part of one, or half a character."""
        text = text.encode("utf-8", "replace").decode()  # "\ud83d" alone is JSON, but fits into no file
        key = self._key.secret.get_secret_value() if self._key else ""
        if len(key) >= _SHORTEST_SECRET:
            text = text.replace(key, "[key]")
        return re.sub(r"\bsk-[\w*.-]{6,}", "[key]", text)

    def _clean(self, text: str) -> str:
        """Foreign text in one line: no key, tags, or control characters."""
        text = self._redact(text).strip()[:_READ]  # before it is cut: a half of a key would pass
        return one_line(_TAGS.sub(" ", " ".join(_HIDDEN.split(text)[::2])), 200)


def _without_system(messages: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """The same conversation with the system's part at the head of the user's first turn."""
    system, first, *others = messages
    return [{"role": "user", "content": f"{system['content']}\n\n{first['content']}"}, *others]
