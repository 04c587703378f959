"""Errors of an endpoint: a rejected parameter, or an exception with one line on what to do."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable, Collection, Mapping

import openai

from eureka_loop.errors import EndpointError, Unavailable

Clean = Callable[[str], str]

LIMIT_NAMES = ("max_tokens", "max_completion_tokens")  # synonyms; newer models take only the second
OPTIONAL = frozenset({"temperature", "seed", *LIMIT_NAMES})
LONGEST_WAIT = 120.0  # seconds of Retry-After up to which the SDK waits

_LATER = "try again later: `eureka resume` goes on from here"
BASE_URL = "is --base-url right? It usually ends in /v1"
_TOO_LONG = re.compile(
    r"context (length|window|size)|maximum context|too (large|long|many)|at most|exceed", re.I
)
_UNSUPPORTED = re.compile(
    r"unsupported|not support|unrecogni|unknown|unexpected|not permitted|forbidden", re.I
)
_NO_MODEL = re.compile(
    r"model.*(not (be )?found|n[o']t exist|unknown|not available)|(unknown|invalid|no such) model"
    r"|valid model id",
    re.I | re.S,
)
_NO_CREDIT = re.compile(r"insufficient_quota|billing|credit|payment", re.I)


class LostAnswer(openai.OpenAIError):
    """No answer arrived for a call that the endpoint may have served. The SDK doesn't repeat it."""


def rejected_parameter(error: openai.APIError, sent: Collection[str]) -> str | None:
    """The optional parameter that an endpoint doesn't take, if the error is about one of those sent."""
    if not isinstance(error, openai.APIStatusError) or error.status_code not in (400, 422):
        return None
    text, candidates = _text(error.body), OPTIONAL.intersection(sent)
    places = {name: place.start() for name in candidates if (place := re.search(rf"\b{name}\b", text))}
    named = error.param if error.param in candidates else min(places, key=places.__getitem__, default=None)
    return None if named in LIMIT_NAMES and _too_long(text) else named


def is_unknown_model(error: openai.APIError) -> bool:
    """Whether the endpoint doesn't know the model."""
    if not isinstance(error, openai.APIStatusError) or error.status_code in (401, 403, 429):
        return False
    unknown = error.status_code in (400, 404, 422) and bool(_NO_MODEL.search(_text(error.body)))
    return unknown or error.code == "model_not_found"


def explained(error: openai.APIError, url: str, clean: Clean) -> EndpointError:
    """The exception for an error that stands after all retries: what happened, and what to do."""
    if not isinstance(error, openai.APIStatusError):
        cause = clean(str(error.__cause__)) or type(error.__cause__).__name__
        advice = "is the server running, and is --base-url right?"
        return Unavailable(f"{url}: it can't be reached ({cause}); {advice}")
    lasting, advice = _advice(error, _text(error.body))
    tries = int(error.request.headers.get("x-stainless-retry-count", "0")) + 1
    times = f", {tries} times" if tries > 1 else ""
    what = f"HTTP {error.status_code}: {clean(_message(error.body)) or 'no reason given'}{times}"
    return (Unavailable if lasting else EndpointError)(f"{url}: {what}; {advice}")


def one_line(text: str, width: int = 200) -> str:
    """Foreign text without tags, control characters and line breaks, cut to `width`."""
    plain = re.sub(r"<(style|script)\b.*?</\1>|<[^>]*>|[\x00-\x1f\x7f-\x9f]", " ", text, flags=re.S | re.I)
    return textwrap.shorten(" ".join(plain.split()), width, placeholder=" …")


def _advice(error: openai.APIStatusError, text: str) -> tuple[bool, str]:
    """Whether every other call will fail for the same reason, and what to do."""
    status = error.status_code
    if status in (401, 403):
        return True, "check the key in EUREKA_API_KEY or OPENAI_API_KEY"
    if status == 402 or (status == 429 and _NO_CREDIT.search(text)):
        return True, "the account behind the key has no credit left"
    if status in (408, 409, 429) or status >= 500:
        wait = error.response.headers.get("retry-after", "")
        too_long = wait.isdigit() and int(wait) > LONGEST_WAIT
        return too_long, f"it asks to wait {wait} s: `eureka resume` after that" if too_long else _LATER
    if any(name in text for name in LIMIT_NAMES) and _too_long(text):
        return False, "lower --max-completion-tokens"
    if status in (404, 405):
        return False, BASE_URL
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
