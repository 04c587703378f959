"""The JSON of an endpoint, as far as it is used, from text that may be anything."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, TypeAdapter
from pydantic_core import from_json

MOST_TOKENS = 10**9  # of one call; more is no count
_DEPTH = 5  # of the sentence in an error body


def _count(value: object) -> int | None:
    return value if type(value) is int and 0 <= value <= MOST_TOKENS else None


Count = Annotated[int | None, BeforeValidator(_count)]


@dataclass(frozen=True, slots=True)
class Part:
    """Some endpoints send the content in parts."""

    text: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """Some endpoints put the whole answer of a thinking model beside the content."""

    content: str | Annotated[list[Part], Field(max_length=1000)] | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    refusal: str | None = None

    @property
    def text(self) -> str:
        parts = [part.text or "" for part in self.content] if isinstance(self.content, list) else []
        return "".join(parts) or (self.content if isinstance(self.content, str) else "")


@dataclass(frozen=True, slots=True)
class Choice:
    """One reply; `delta` is a piece of one that comes as a stream."""

    message: Message = field(default_factory=Message)
    delta: Message = field(default_factory=Message)
    finish_reason: str | None = None
    error: Any = None


@dataclass(frozen=True, slots=True)
class Counts:
    """Tokens as the endpoint counts; None where it doesn't, or counts nonsense."""

    prompt_tokens: Count = None
    completion_tokens: Count = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A model on offer."""

    id: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A chat completion, a list of models, or an error."""

    choices: Annotated[list[Choice], Field(max_length=100)] | None = None
    usage: Counts | None = None
    model: str | None = None
    data: Annotated[list[Listed], Field(max_length=10_000)] | None = None
    error: Any = None

    @property
    def text(self) -> str:
        """Of the first choice; where that is empty, what it thought."""
        message = self.choices[0].message if self.choices else Message()
        return message.text or message.reasoning_content or message.reasoning or ""

    @property
    def problem(self) -> Any:
        """An error beside or inside the choices: gateways report so that the server behind them failed."""
        return self.error or (self.choices[0].error if self.choices else None)


_ANSWER = TypeAdapter(Answer)


def read(text: str, redact: Callable[[str], str]) -> Answer:
    """An answer from JSON, or from a stream of events with its pieces.

    Raises:
        ValueError: the text is no such thing.
    """
    if text.lstrip()[:6].startswith(("data:", "event:", ":")):
        return _joined(read(piece, redact) for piece in _pieces(text))
    try:
        whole = json.dumps(json.loads(text), ensure_ascii=False)  # no escapes that could hide the key
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return _ANSWER.validate_json(redact(whole))


def _pieces(text: str) -> Iterator[str]:
    """The JSON of a stream's events."""
    found = (line.removeprefix("data:").strip() for line in text.splitlines() if line.startswith("data:"))
    return (piece for piece in found if piece.startswith("{"))


def _joined(pieces: Iterator[Answer]) -> Answer:
    """One answer of a stream's pieces."""
    content: list[str] = []
    thought: list[str] = []
    refusal: list[str] = []
    whole, finish, error = Answer(), None, None
    for piece in pieces:
        whole = Answer(usage=piece.usage or whole.usage, model=piece.model or whole.model)
        error = error or piece.problem
        for choice in (piece.choices or [])[:1]:
            content.append(choice.delta.text)
            thought.append(choice.delta.reasoning_content or choice.delta.reasoning or "")
            refusal.append(choice.delta.refusal or "")
            finish = choice.finish_reason or finish
    message = Message("".join(content), reasoning="".join(thought), refusal="".join(refusal))
    return Answer([Choice(message, finish_reason=finish)], whole.usage, whole.model, error=error)


def error_body(text: str) -> tuple[str, str]:
    """The sentence in an error, and the parameter that it names; endpoints differ in where they are."""
    try:
        body = from_json(text)  # refuses what is nested deeply
    except ValueError:
        return text, ""
    error = body.get("error") if isinstance(body, dict) else None
    param = error.get("param") if isinstance(error, dict) else None
    return sentence(body), param if isinstance(param, str) else ""


def sentence(body: object) -> str:
    """The sentence somewhere in an error's JSON, else all of it."""
    for _ in range(_DEPTH):
        if isinstance(body, list) and body:
            body = body[0]
        if isinstance(body, Mapping):
            body = next((body[key] for key in ("message", "error", "detail") if body.get(key)), body)
    return body if isinstance(body, str) else "" if body is None else json.dumps(body, default=str)
