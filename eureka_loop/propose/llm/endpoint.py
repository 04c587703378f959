"""Chat completions of one OpenAI-compatible endpoint, well-behaved or not.

The key is in the headers of its connection alone; text from the endpoint is cleared of it.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from eureka_loop import files
from eureka_loop.errors import EndpointError, EurekaError, NoAnswer, Unavailable, UnknownName
from eureka_loop.propose.llm import answer as answers
from eureka_loop.propose.llm import images
from eureka_loop.propose.llm.answer import Answer
from eureka_loop.propose.llm.connection import DEADLINE, LOST, TIMEOUT, Connection, Received
from eureka_loop.propose.llm.settings import api_key, configured_url, headers
from eureka_loop.records import Reply
from eureka_loop.text import one_line

LIMITS = ("max_tokens", "max_completion_tokens")  # synonyms; newer models take only the second
LONGEST_WAIT = 120.0  # seconds of Retry-After that are waited for
LISTING = 30.0  # seconds for the list of models
# No parameters; some endpoints reject them.
SYSTEM, WHOLE, IMAGES = "a system role", "a reply as a whole", "images"

_SHORTEST_SECRET = 8  # shorter "keys" (`ollama`, `x`) hide nothing, and may be part of honest text
_READ = 4000  # characters of an error that are looked at
_LONGEST_NAME = 100  # characters of a model's name
_COMPARED = 1000  # names of models, a millisecond each
_TIMED_OUT = (408, 504, 524)  # statuses with which a gateway gives up on a server that may go on
# No pattern takes more than a time in proportion to the text: an endpoint may have made it for that.
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
    r"\A(?>.*?model).*?(not (be )?found|n[o']t exist|unknown|not available)|(unknown|invalid|no such) model"
    r"|valid model id|model_not_found",
    re.I | re.S,
)
_NO_CREDIT = re.compile(r"insufficient_quota|billing|credit|payment", re.I)
_RATE = re.compile(r"per[ _-]?(second|minute|hour|day)|retry (in|after) \d", re.I)
_RETRY_IN = re.compile(r"(?:retry|again) (?:in|after) (\d{1,9}(?:\.\d{1,9})?) ?s", re.I)
_NO_SYSTEM = re.compile(
    r"(system|developer).{0,20}(role|message|prompt|instruction)|role.{0,20}system|only user and assistant",
    re.I,
)
_ONLY_STREAM = re.compile(
    r"(only|must|require|enable|set).{0,40}stream|stream.{0,40}(only|must|require)", re.I
)
_NO_IMAGES = re.compile(r"image|vision|multi-?modal|(be|valid|expected|of type) a? ?str", re.I)
_NOT_ABOUT_IMAGES = (401, 402, 403, 429)
_TAGS = re.compile(r"<[^<>]*>")
_HIDDEN = re.compile(r"</?(?:style|script)\b[^<>]*>", re.I)
_BASE_URL = "is --base-url right? It usually ends in /v1"


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
    ) -> None:
        self._folder = folder
        self.url = configured_url(base_url, environ)
        self._key = api_key(self.url, environ)
        self.deadline = deadline
        self._rejected: set[str] = set()
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
        while True:
            name = next((name for name in LIMITS if name not in self._rejected), "")
            wanted: dict[str, Any] = {"temperature": temperature, name: limit, "seed": seed}
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
            self._rejected.add(answer)

    @property
    def takes_images(self) -> bool:
        """Whether it has rejected none."""
        return IMAGES not in self._rejected

    def models(self) -> list[str]:
        """Names of the models on offer; empty where the endpoint doesn't say."""
        answer = self._answer(seconds=LISTING)
        listed = answer.data or () if isinstance(answer, Answer) else ()
        return sorted({row.id for row in listed if row.id and len(row.id) <= _LONGEST_NAME})

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
        sent: Collection[str] = (),
        seconds: float | None = None,
    ) -> Answer | str | EurekaError:
        """The answer, the name of something that is rejected, or an exception.

        Exceptions are returned, not raised: the key may be in the one they replace, and in this frame.
        """
        received = self._connection.send(body, seconds)
        if isinstance(received, NoAnswer):
            return received
        if received.status >= 300:
            found = self._refused(received, sent, "" if body is None else str(body["model"]))
            shown = body is not None and any(isinstance(each["content"], list) for each in body["messages"])
            refuses = received.status not in _NOT_ABOUT_IMAGES and _NO_IMAGES.search(received.text[:_READ])
            return IMAGES if shown and refuses and not isinstance(found, str) else found
        try:
            answer = answers.read(received.text, self._redact)
        except ValueError:
            found = self._clean(received.text) or "empty"
            return NoAnswer(f"the answer is no chat completion: {found}; {_BASE_URL}", served=False)
        if answer.problem:
            reported = self._clean(answers.sentence(answer.problem))
            return NoAnswer(f"the endpoint reports {reported}", served=False)
        return answer

    def _refused(self, received: Received, sent: Collection[str], model: str) -> str | EurekaError:
        """The name of the parameter or feature that an endpoint rejects, or its problem with advice."""
        status, (message, param) = received.status, answers.error_body(received.text)
        text = self._redact(received.text)[:_READ]
        if status < 400:
            place = self._clean(received.headers.get("location", "")) or "another address"
            problem = f"HTTP {status}: it sends its callers on to {place}, where no key and no prompt is sent"
            return Unavailable(f"{self.url}: {problem}; if you trust that address, give it as --base-url")
        about_value = bool(_TOO_LONG.search(text)) and not _UNSUPPORTED.search(text)
        if status in (400, 422):
            optional = [name for name in sent if name != "stream"]
            named = [name for name in optional if name == param or re.search(rf"\b{name}\b", text)]
            named.sort(key=lambda name: (name != param, text.find(name)))
            if named and not (named[0] in LIMITS and about_value):
                return named[0]
            for thing, pattern in ((SYSTEM, _NO_SYSTEM), (WHOLE, _ONLY_STREAM)):
                if sent and thing not in self._rejected and pattern.search(text):
                    return thing
        if status in (400, 404, 422) and model and _NO_MODEL.search(text):
            listed = self.models()
            like = [name for name in listed if abs(len(name) - len(model)) <= len(model)][:_COMPARED]
            return UnknownName("model", model, like, hint=self._offer(listed))
        what = f"HTTP {status}: {self._clean(message) or 'no reason given'}"
        if status in _TIMED_OUT:
            return NoAnswer(f"{what}; {LOST}")
        seconds = _wait(received.headers.get("retry-after", ""), text)
        busy = status in (409, 429) or status >= 500
        no_credit = status == 402 or (status == 429 and _NO_CREDIT.search(text) and not _RATE.search(text))
        if busy and not no_credit and seconds <= LONGEST_WAIT:
            later = "try again later: `eureka resume` goes on from here"
            return NoAnswer(f"{what}; {later}", served=False, wait=seconds)
        rules = (  # the first that holds; whether every other call will fail, too; what to do
            (status in (401, 403), True, self._about_key()),
            (no_credit, True, "the account behind the key has no credit left"),
            (busy, True, f"it asks to wait {seconds:.0f} s: `eureka resume` after that"),
            (about_value and any(name in text for name in LIMITS), False, "lower --max-completion-tokens"),
            (status in (404, 405), False, _BASE_URL),
            (_TOO_LONG.search(text), False, "choose a model with a longer context"),
            (True, False, "the endpoint doesn't accept this request; choose another model"),
        )
        lasting, advice = next(rule[1:] for rule in rules if rule[0])
        return (Unavailable if lasting else EndpointError)(f"{self.url}: {what}; {advice}")

    def cleared(self, reply: Reply) -> Reply:
        """A reply without the key, which is whole only here where it came in pieces."""
        text = self._redact(json.dumps(files.plain(reply), ensure_ascii=False))
        return files.validated(json.loads(text), Reply, "the reply")

    def _about_key(self) -> str:
        if self._key is not None:
            return f"check the key in {self._key.name}"
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


def _wait(header: str, text: str) -> float:
    """Seconds to wait, by the header or the sentence; 0 where neither says."""
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)", header) or _RETRY_IN.search(text)
    return float(found[1]) if found else 0.0


def _without_system(messages: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """The same conversation with the system's part at the head of the user's first turn."""
    system, first, *others = messages
    return [{"role": "user", "content": f"{system['content']}\n\n{first['content']}"}, *others]
