"""The JSON of an endpoint, as far as it is used, from text that may be anything."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, TypeAdapter
from pydantic_core import from_json

MOST_TOKENS = 10**9  # of one call; more is no count
_DEPTH = 5  # of the sentence in an error body, and of a text in parts
_PARTS = 1000  # of a text
_SPOKEN = ("text", "content", "value")  # keys of the text in a part
_SENTENCES = ("message", "error", "detail", "msg", "status_msg", "base_resp", "errors")
_CODES = ("code", "status", "status_code", "http_code", "base_resp", "error")
_BROKEN = ("error", "abort", "insufficient_system_resource")  # reasons to finish that are failures


def _count(value: object) -> int | None:
    return value if type(value) is int and 0 <= value <= MOST_TOKENS else None


Count = Annotated[int | None, BeforeValidator(_count)]


Name = Annotated[str | None, BeforeValidator(lambda value: value if isinstance(value, str) else None)]


@dataclass(frozen=True, slots=True)
class Message:
    """Some endpoints put the whole answer of a thinking model beside the content, some send it in parts."""

    content: Any = None
    reasoning: Any = None
    reasoning_content: Any = None
    reasoning_details: Any = None
    thinking: Any = None
    refusal: Name = None

    @property
    def text(self) -> str:
        return _text(self.content, _SPOKEN)

    @property
    def thoughts(self) -> str:
        beside = (self.reasoning_content, self.reasoning, self.thinking, self.reasoning_details)
        keys = (*_SPOKEN, "thinking", "summary")
        return next((text for each in (*beside, self.content) if (text := _text(each, keys))), "")


@dataclass(frozen=True, slots=True)
class Choice:
    """One reply; `delta` is a piece of one that comes as a stream."""

    message: Message | None = None
    delta: Message | None = None
    text: Name = None  # of completions that are no chat
    finish_reason: Name = None
    error: Any = None
    content_filter_results: Any = None


@dataclass(frozen=True, slots=True)
class Counts:
    """Tokens as the endpoint counts; None where it doesn't, or counts nonsense."""

    prompt_tokens: Count = None
    completion_tokens: Count = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A model on offer."""

    id: Name = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A chat completion, a list of models, or an error."""

    choices: Annotated[list[Choice], Field(max_length=100)] | None = None
    usage: Counts | None = None
    model: Name = None
    data: Annotated[list[Listed], Field(max_length=10_000)] | None = None
    error: Any = None
    prompt_filter_results: Any = None

    @property
    def message(self) -> Message:
        """Of the first choice."""
        return (self.choices[0].message if self.choices else None) or Message()

    @property
    def text(self) -> str:
        """Of the first choice; where that is empty, what it thought."""
        plain = (self.choices[0].text if self.choices else None) or ""
        return self.message.text if self.message.text.strip() else self.message.thoughts or plain

    @property
    def problem(self) -> Any:
        """An error beside or inside the choices: gateways report so that the server behind them failed."""
        choice = self.choices[0] if self.choices else Choice()
        broken = f"finish_reason {choice.finish_reason!r}" if choice.finish_reason in _BROKEN else None
        return self.error or choice.error or broken

    @property
    def filtered(self) -> str:
        """Names of the content filters that withheld the prompt or the reply."""
        found = self.choices[0].content_filter_results if self.choices else None
        return filtered([found, self.prompt_filter_results])


_ANSWER = TypeAdapter(Answer)


def read(text: str, redact: Callable[[str], str]) -> Answer:
    """An answer from JSON, or from a stream of events with its pieces.

    Raises:
        ValueError: the text is no such thing.
    """
    if text.lstrip()[:6].startswith(("data:", "event:", ":")):
        lines = re.split(r"\r\n?|\n", text)  # other breaks of lines may stand in the JSON
        found = (line.removeprefix("data:").strip() for line in lines if line.startswith("data:"))
        answer = _joined(read(piece, redact) for piece in found if piece.startswith("{"))
        ended = answer.problem or (answer.choices or [Choice()])[0].finish_reason or "data: [DONE]" in text
        return answer if ended else replace(answer, error="that the stream ended before the reply did")
    try:
        value = json.loads(text)
        if isinstance(value, list) and value and isinstance(value[0], dict) and "error" in value[0]:
            value = value[0]
        named = (
            {key: value[key] for key in (*_SENTENCES, *_CODES) if key in value}
            if isinstance(value, dict)
            else {}
        )
        whole = json.dumps(value, ensure_ascii=False)  # no escapes that could hide the key
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    del value  # it may be as large as the validated answer
    answer = _ANSWER.validate_json(redact(whole))
    reported = any(map(named.get, _SENTENCES)) and not (answer.choices or answer.data or answer.error)
    return replace(answer, error=named) if reported else answer


def _text(value: object, keys: Sequence[str], depth: int = _DEPTH) -> str:
    """The text of a string, of an object with one, or of a list of those."""
    if isinstance(value, list) and depth:
        return "".join(_text(part, keys, depth - 1) for part in value[:_PARTS])
    if isinstance(value, Mapping) and depth:
        return next((text for key in keys if (text := _text(value.get(key), keys, depth - 1))), "")
    return value if isinstance(value, str) else ""


def _joined(pieces: Iterator[Answer]) -> Answer:
    """One answer of a stream's pieces."""
    content: list[str] = []
    thought: list[str] = []
    refusal: list[str] = []
    whole, last, error = Answer(), Choice(), None
    for piece in pieces:
        whole = Answer(
            usage=piece.usage or whole.usage,
            model=piece.model or whole.model,
            prompt_filter_results=piece.prompt_filter_results or whole.prompt_filter_results,
        )
        error = error or piece.problem
        for choice in (piece.choices or [])[:1]:
            delta = choice.delta or Message()
            content.append(delta.text)
            thought.append("" if delta.text else delta.thoughts)
            refusal.append(delta.refusal or "")
            last = choice if choice.finish_reason else last
    message = Message("".join(content), reasoning="".join(thought), refusal="".join(refusal))
    return replace(whole, choices=[replace(last, message=message, delta=None)], error=error)


def filtered(value: object, depth: int = _DEPTH) -> str:
    """Names of the content filters that a JSON says took something away."""
    names: list[str] = []
    rows = (
        value.items() if isinstance(value, Mapping) else enumerate(value if isinstance(value, list) else [])
    )
    for name, part in islice(rows, 100):
        if isinstance(part, Mapping) and part.get("filtered") is True:
            names.append(str(name).replace("_", " "))
        elif depth and (found := filtered(part, depth - 1)):
            names.append(found)
    return ", ".join(names)


def status(problem: object) -> int:
    """The HTTP status that an error in a 200 states; 500 where it doesn't."""
    for _ in range(_DEPTH):
        if not isinstance(problem, Mapping):
            break
        problem = next((problem[key] for key in _CODES if problem.get(key)), None)
    number = str(problem)
    return int(number) if re.fullmatch("[45][0-9]{2}", number) else 500


def error_body(text: str) -> tuple[str, str]:
    """The sentence in an error, and the parameter that it names; endpoints differ in where they are."""
    try:
        body = from_json(text)  # refuses what is nested deeply
    except ValueError:
        return text, ""
    first = body[0] if isinstance(body, list) and body else body
    error = first.get("error") if isinstance(first, dict) else None
    param = error.get("param") if isinstance(error, dict) else None
    return sentence(body), param if isinstance(param, str) else ""


def sentence(body: object) -> str:
    """The sentence somewhere in an error's JSON, else all of it."""
    for _ in range(_DEPTH):
        if isinstance(body, list) and body:
            body = body[0]
        if isinstance(body, Mapping):
            body = next((body[key] for key in _SENTENCES if body.get(key)), body)
    return body if isinstance(body, str) else "" if body is None else json.dumps(body, default=str)
