"""What an endpoint's error means: try again, leave a parameter out, or give up with one clear line."""

from __future__ import annotations

import email.utils
import json
import re
import textwrap
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Literal

import openai

Clean = Callable[[str], str]
Verdict = Literal["retry", "drop", "unknown_model", "give_up"]

LIMIT_NAMES = ("max_tokens", "max_completion_tokens")  # one meaning; newer models take only the second
OPTIONAL = frozenset({"temperature", "seed", *LIMIT_NAMES})

LONGEST_WAIT = 120.0  # seconds; who asks for more is told to come back later

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
_NO_MONEY = re.compile(r"insufficient_quota|billing|credit|payment", re.I)


@dataclass(frozen=True, slots=True)
class Complaint:
    """An error, understood.

    Attributes:
        what: what happened, in words, on one line.
        advice: what to do about it.
        wait: seconds the endpoint asks to wait; None where it doesn't say.
        parameter: what to leave out, for "drop".
        tries: how often trying makes sense at all, however many retries are allowed.
        lasting: whether every other call will fail for it, too, until somebody acts.
    """

    verdict: Verdict
    what: str
    advice: str = ""
    wait: float | None = None
    parameter: str = ""
    tries: int = 1000
    lasting: bool = False


def understand(error: openai.APIError, sent: Collection[str], *, timeout: float, clean: Clean) -> Complaint:
    """The meaning of an SDK error.

    Args:
        sent: names of the parameters that were sent.
        timeout: s.
        clean: makes the endpoint's words fit to be shown.
    """
    if isinstance(error, openai.APITimeoutError) and type(error.__cause__).__name__ != "ConnectTimeout":
        what = f"no answer within {timeout:g} s"
        return Complaint("retry", what, "choose a faster model or endpoint", tries=3)
    if isinstance(error, openai.APIStatusError):
        return _of_status(error, sent, clean)
    return _of_connection(error, clean)


def no_completion(body: str) -> Complaint:
    """The meaning of an answer that isn't the JSON it should be; `body` is clean."""
    what = f"the answer is no chat completion: {body or 'empty'}"
    return Complaint("retry", what, "is --base-url right? It usually ends in /v1", tries=3)


def one_line(text: str, width: int = 200) -> str:
    """Foreign text without tags, control characters and line breaks, cut to `width`."""
    plain = re.sub(r"<(style|script)\b.*?</\1>|<[^>]*>|[\x00-\x1f\x7f-\x9f]", " ", text, flags=re.S | re.I)
    return textwrap.shorten(" ".join(plain.split()), width, placeholder=" …")


def _of_connection(error: openai.APIError, clean: Clean) -> Complaint:
    cause = error.__cause__
    what = clean(str(cause)) or type(cause).__name__
    if type(cause).__name__ in ("ConnectError", "ConnectTimeout"):
        advice = "is the server running, and is --base-url right?"
        return Complaint("retry", f"it can't be reached ({what})", advice, tries=3, lasting=True)
    return Complaint(
        "retry", f"the connection broke ({what})", "try again: `eureka resume` goes on from here"
    )


def _of_status(error: openai.APIStatusError, sent: Collection[str], clean: Clean) -> Complaint:
    status, text = error.status_code, _text(error.body)
    what = f"HTTP {status}: {clean(_message(error.body)) or 'no reason given'}"
    if status in (401, 403):
        return Complaint("give_up", what, "check the key in EUREKA_API_KEY or OPENAI_API_KEY", lasting=True)
    if status == 402 or (status == 429 and _NO_MONEY.search(text)):
        return Complaint("give_up", what, "the account behind the key has no credit left", lasting=True)
    if status in (408, 409, 429) or status >= 500:
        return _of_overload(error, what)
    if status in (400, 422) and (named := _named(error, text, sent)):
        if named in LIMIT_NAMES and _TOO_LONG.search(text) and not _UNSUPPORTED.search(text):
            return Complaint("give_up", what, "lower --max-completion-tokens")
        return Complaint("drop", what, parameter=named)
    if error.code == "model_not_found" or (status in (400, 404, 422) and _NO_MODEL.search(text)):
        return Complaint("unknown_model", what)
    if status in (404, 405):
        return Complaint("give_up", what, "is --base-url right? It usually ends in /v1")
    if _TOO_LONG.search(text):
        return Complaint("give_up", what, "choose a model with a longer context")
    return Complaint("give_up", what, "the endpoint doesn't accept this request; choose another model")


def _of_overload(error: openai.APIStatusError, what: str) -> Complaint:
    wait = retry_after(error.response.headers)
    if wait is not None and wait > LONGEST_WAIT:
        what = f"{what}; it asks to wait {wait:.0f} s"
        return Complaint("give_up", what, "come back then: `eureka resume`", lasting=True)
    return Complaint("retry", what, "try again later: `eureka resume` goes on from here", wait)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait by Retry-After (a number or a date, RFC 9110 section 10.2.3); None without it."""
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        date = email.utils.parsedate_tz(value)
    return None if date is None else max(0.0, email.utils.mktime_tz(date) - time.time())


def _named(error: openai.APIStatusError, text: str, sent: Collection[str]) -> str:
    """The optional parameter among those sent that an error is about; "" where none is named."""
    candidates = OPTIONAL.intersection(sent)
    if error.param in candidates:
        return str(error.param)
    places = {name: re.search(rf"\b{name}\b", text) for name in candidates}
    found = {name: place.start() for name, place in places.items() if place}
    return min(found, key=found.__getitem__, default="")


def _message(body: object) -> str:
    """The sentence in an error body; endpoints differ in where they put it."""
    if isinstance(body, Mapping):
        for key in ("message", "error", "detail"):
            if body.get(key):
                return _message(body[key])
    return _text(body)


def _text(body: object) -> str:
    return body if isinstance(body, str) else "" if body is None else json.dumps(body, default=str)
