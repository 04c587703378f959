"""The designer that asks a language model, behind any OpenAI-compatible endpoint."""

from __future__ import annotations

import os
import threading
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from eureka_loop.errors import BadInput, DesignerError, EndpointError, EurekaError
from eureka_loop.propose.designer import Inbox, Request
from eureka_loop.propose.llm import prompts
from eureka_loop.propose.llm.extract import Extracted, extract
from eureka_loop.propose.llm.ledger import Ledger
from eureka_loop.propose.llm.threads import at_once
from eureka_loop.records import Reply, Usage

if TYPE_CHECKING:  # the SDK takes over half a second to import: only where a model is really asked
    from eureka_loop.propose.llm.endpoint import Completion, Endpoint

OPENAI = "https://api.openai.com/v1"
KEYS = ("EUREKA_API_KEY", "OPENAI_API_KEY")  # the first that is set counts
NO_KEY = "none"  # what a local endpoint gets: the SDK insists on something
TOP_UPS = 3  # rounds in which an endpoint may answer without a choice


@dataclass(frozen=True, slots=True, kw_only=True)
class LLMSettings:
    """How to ask. There is no field for a key: it stays in the environment.

    Attributes:
        model: None: `$EUREKA_MODEL`.
        base_url: None: `$OPENAI_BASE_URL`, else OpenAI's.
        max_tokens: of one reply, thinking included.
        timeout: seconds without a byte before a call counts as dead.
        parallel: calls at once.
        retries: tries after the first, for what may pass (429, 5xx, timeouts, dropped connections).
    """

    model: str | None = None
    base_url: str | None = None
    temperature: float = 1.0
    max_tokens: int = 8192
    timeout: float = 300.0
    parallel: int = 8
    retries: int = 4

    def __post_init__(self) -> None:
        if self.base_url is not None:
            check_url(self.base_url)


def check_url(url: str, name: str = "--base-url") -> None:
    """Refuse what can't be an endpoint, and what could carry a key into files; it isn't repeated then.

    Args:
        name: what the address comes from.

    Raises:
        BadInput: not http(s), or with a user, a password, a query or a fragment.
    """
    if any(letter in url for letter in "@?#"):
        raise BadInput(
            f"{name} must be a plain address, without user, password, query (?...) or fragment (#...): "
            "a key comes from the environment alone, in EUREKA_API_KEY"
        )
    try:
        parts = urlsplit(url)
        fit = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port that is no number, half an IPv6 address
        fit = False
    if not fit or not url.isprintable() or " " in url:
        raise BadInput(f"{name} {url!r} is no web address; for example http://localhost:11434/v1")


def configured_model(settings: LLMSettings, environ: Mapping[str, str] = os.environ) -> str | None:
    """The model that will be asked, if one is chosen: by `--model` or by `$EUREKA_MODEL`."""
    return settings.model or environ.get("EUREKA_MODEL") or None


def configured_url(settings: LLMSettings, environ: Mapping[str, str] = os.environ) -> str:
    """The endpoint's address.

    Raises:
        BadInput: `$OPENAI_BASE_URL` is no address, or carries a password.
    """
    if settings.base_url is not None:
        return settings.base_url.rstrip("/")  # checked when it was set
    url = environ.get("OPENAI_BASE_URL") or OPENAI
    check_url(url, "OPENAI_BASE_URL")
    return url.rstrip("/")


class LLMDesigner:
    """Asks a model for every sample on its own, several at once.

    Sampling differs by temperature and seed. A sample whose call fails becomes a reply that says so, as long
    as another succeeded; only when all fail is that an error, so that nothing paid for is lost.

    Args:
        ledger: counts tokens and money, and stops before a limit is passed.
        sleep: waits between retries.

    Raises:
        BadInput: no key, no model (the message lists what there is), no price where money is limited.
        EndpointError: no model was given, and the endpoint can't be asked for its list.
    """

    name = "llm"

    def __init__(
        self,
        settings: LLMSettings,
        ledger: Ledger,
        *,
        environ: Mapping[str, str] = os.environ,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings, self._ledger = settings, ledger
        self._places = threading.BoundedSemaphore(settings.parallel)  # requests overlap
        self._endpoint = connect(settings, environ=environ, sleep=sleep)
        model = configured_model(settings, environ)
        if model is None:
            offer = self._endpoint.offer()
            self.close()
            raise BadInput(f"no model is chosen: give --model, or set EUREKA_MODEL; {offer}")
        self.model: str = model
        ledger.require_price(model)

    def close(self) -> None:
        """Close the connections."""
        self._endpoint.close()

    def propose(self, request: Request, inbox: Inbox) -> None:
        """One reply a sample, given as soon as it is there; a repair is one call that continues the exchange.

        Raises:
            BudgetSpent: a call didn't fit into the limits any more, and wasn't made.
            EndpointError: not one call succeeded, or none would any more.
            UnknownName: the endpoint doesn't know the model.
        """
        messages = prompts.messages(request)

        def call(sample: int) -> None:
            with self._places:
                reply = self._ask(messages, _seed(request, sample))
            inbox.keep(sample, reply)

        calls = [partial(call, sample) for sample in request.wanted]
        outcomes = at_once(calls, self._settings.parallel, inbox.tick)
        for sample, error in _failed(dict(zip(request.wanted, outcomes, strict=True))).items():
            inbox.keep(sample, Reply(None, problem=str(error)))

    def _ask(self, messages: Sequence[Mapping[str, str]], seed: int) -> Reply:
        """One choice; an endpoint that sends none is asked again."""
        used = Usage(usd=0.0)
        for attempt in range(TOP_UPS):
            completion, usage = self._call(messages, (seed + attempt) % 2**31)
            used = _sum(used, usage)
            if completion.text is not None:
                return self._reply(messages, completion, completion.text, used)
        message = f"{self._endpoint.url} sent no choice, {TOP_UPS} times; choose another model or endpoint"
        raise EndpointError(message)

    def _call(self, messages: Sequence[Mapping[str, str]], seed: int) -> tuple[Completion, Usage]:
        prompt, limit = _tokens(*(each["content"] for each in messages)), self._settings.max_tokens
        with self._ledger.call(self.model, prompt_tokens=prompt, completion_tokens=limit) as entry:
            completion = self._endpoint.complete(
                self.model, messages, max_tokens=limit, temperature=self._settings.temperature, seed=seed
            )
            counted = (completion.prompt_tokens, completion.completion_tokens)
            tokens = (
                prompt if counted[0] is None else counted[0],
                _tokens(completion.text or "") if counted[1] is None else counted[1],
            )
            entry.used = Usage(*tokens, usd=self._ledger.usd(self.model, *tokens))
        return completion, entry.used

    def _reply(
        self, messages: Sequence[Mapping[str, str]], completion: Completion, text: str, used: Usage
    ) -> Reply:
        found: Extracted = extract(
            text,
            finish_reason=completion.finish_reason,
            refusal=completion.refusal,
            limit=self._settings.max_tokens,
        )
        exchange: dict[str, Any] = {
            "messages": [dict(each) for each in messages],
            "reply": text,
            "finish_reason": completion.finish_reason,
            "model": completion.model or self.model,
            "usage": {"prompt_tokens": used.prompt_tokens, "completion_tokens": used.completion_tokens},
            "request": {"model": self.model, **completion.parameters},
        }
        return Reply(found.source, problem=found.problem, exchange=exchange, usage=used)


def connect(
    settings: LLMSettings,
    *,
    environ: Mapping[str, str] = os.environ,
    sleep: Callable[[float], None] = time.sleep,
) -> Endpoint:
    """The endpoint that the settings and the environment name; nothing is sent yet.

    Raises:
        BadInput: no key, or one that can't be a key.
    """
    from eureka_loop.propose.llm.endpoint import Endpoint

    url = configured_url(settings, environ)
    return Endpoint(url, _key(url, environ), timeout=settings.timeout, retries=settings.retries, sleep=sleep)


def _key(url: str, environ: Mapping[str, str]) -> SecretStr:
    name = next((name for name in KEYS if environ.get(name, "").strip()), None)
    if name is None:
        if url == OPENAI:
            raise BadInput(
                "no key: set OPENAI_API_KEY (or EUREKA_API_KEY); a local endpoint needs none: "
                "--base-url http://localhost:11434/v1"
            )
        return SecretStr(NO_KEY)
    key = SecretStr(environ[name].strip())
    if not all("!" <= letter <= "~" for letter in key.get_secret_value()):
        raise BadInput(f"{name} holds a space or a character that no key has; set it again")
    return key


def _failed(outcomes: Mapping[int, EurekaError | None]) -> dict[int, EurekaError]:
    """The samples whose calls failed, where others succeeded.

    Raises:
        EurekaError: none did, or none would any more: what is missing then can be asked for later.
    """
    failed = {sample: error for sample, error in outcomes.items() if error is not None}
    for error in failed.values():
        one_alone = isinstance(error, DesignerError) and not error.lasting
        if not one_alone or len(failed) == len(outcomes):
            raise error
    return failed


def _seed(request: Request, sample: int) -> int:
    """A seed of its own for every call: the same one would make the samples of a generation equal."""
    what = f"{request.seed} {request.generation} {sample} {request.repair is not None}"
    return zlib.crc32(what.encode()) >> 1


def _tokens(*texts: str) -> int:
    """An upper estimate: English and code take three to four bytes a token; here two, and ten a message."""
    return sum(len(text.encode()) // 2 + 10 for text in texts)


def _sum(one: Usage, other: Usage) -> Usage:
    usd = None if one.usd is None or other.usd is None else one.usd + other.usd
    return Usage(
        one.prompt_tokens + other.prompt_tokens, one.completion_tokens + other.completion_tokens, usd
    )
