"""Texts of an endpoint's errors: what is refused, which value is allowed, how long to wait.

No pattern takes more than a time in proportion to the text: an endpoint may have made it for that.
"""

from __future__ import annotations

import re
import time
from email.utils import parsedate_to_datetime

SYSTEM, WHOLE = "a system role", "a reply as a whole"  # neither is a parameter; some endpoints reject them
LEAST = 256  # tokens of a reply; as in a run's configuration

TOO_LONG = re.compile(
    r"context (length|window|size)|maximum context|too (large|long|many)|at most|exceed", re.I
)
UNSUPPORTED = re.compile(
    r"unsupported|not support|unrecogni|unknown|unexpected|not permitted|forbidden|extra input", re.I
)
NO_MODEL = re.compile(
    r"\A(?>.*?model).*?(not (be )?found|n[o']t exist|unknown|not available)|(unknown|invalid|no such) model"
    r"|valid model id|model_not_found|DeploymentNotFound",
    re.I | re.S,
)
FILTERED = re.compile(r"content[_ ](filter|management)|ResponsibleAIPolicy|data_inspection", re.I)
_NO_CREDIT = re.compile(r"insufficient_quota|billing|credit|payment", re.I)
_RATE = re.compile(r"per[ _-]?(sec|min|hour|day)|(retry|again) (in|after) \d|retryDelay", re.I)
BUSY = re.compile(r"rate.?limit|too many requests|overloaded|quota|throttl", re.I)
_RETRY_IN = re.compile(
    r"(?:(?:retry|again) (?:in|after)|wait|retryDelay\W{1,6})\s?(?:(\d{1,4}) ?h[a-z]{0,5} ?)?"
    r"(?:(\d{1,6}) ?m(?!s)(?:in[a-z]{0,5})? ?)?(?:(\d{1,9}(?:\.\d{1,9})?) ?s)?",
    re.I,
)
_NO_SYSTEM = re.compile(
    r"(system|developer).{0,20}(role|message|prompt|instruction)|role.{0,40}system"
    r"|only user and assistant|roles must alternate",
    re.I,
)
_ONLY_STREAM = re.compile(
    r"(only|must|require|enable|use|set).{0,40}stream|stream.{0,40}(only|must|require|recommended)"
    r"|non-?stream.{0,40}(not|disabled|unsupported)",
    re.I,
)
_NUMBER = re.compile(r"(?<![\w-])(?<!\d\.)(?:\d{1,3}(?:,\d{3})+(?!\d)|\d{1,12}(?:\.\d{1,9})?)(?![\w-])")
_CONTEXT = re.compile(r"context (?:length|window|size)\D{0,40}(\d{1,9})", re.I)
_PROMPT = re.compile(r"(\d{1,9}) (?:tokens )?(?:in the (?:messages|prompt)|(?:of |text )*input|prompt)", re.I)


def feature(text: str) -> str:
    """`SYSTEM` or `WHOLE` where a text refuses that, else ""."""
    return SYSTEM if _NO_SYSTEM.search(text) else WHOLE if _ONLY_STREAM.search(text) else ""


def largest(text: str, below: float) -> float:
    """The largest number of a text below a value that is refused, the upper bound as a rule; 0 for none."""
    found = (float(number[0].replace(",", "")) for number in _NUMBER.finditer(text))
    return max((number for number in found if number < below), default=0.0)


def space(text: str) -> int | None:
    """Tokens that the context leaves to a reply, where a text says both."""
    context, prompt = _CONTEXT.search(text), _PROMPT.search(text)
    return int(context[1]) - int(prompt[1]) if context and prompt else None


def no_credit(status: int, text: str) -> bool:
    """Whether the account must be paid for; texts on a rate speak of billing, too."""
    return status == 402 or (status == 429 and bool(_NO_CREDIT.search(text)) and not _RATE.search(text))


def wait(header: str, text: str) -> float:
    """Seconds to wait, by the header (seconds or a date) or the sentence; 0 where neither says."""
    if re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", header):
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except (ValueError, OverflowError):
        pass
    times = [[float(part or 0) for part in found.groups()] for found in _RETRY_IN.finditer(text)]
    return max((3600 * hours + 60 * minutes + seconds for hours, minutes, seconds in times), default=0.0)
