"""The designer that asks a language model behind an OpenAI-compatible endpoint."""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from eureka_loop import files
from eureka_loop.config import RunConfig
from eureka_loop.errors import BadInput, EndpointError, EurekaError, NoAnswer
from eureka_loop.propose.designer import Request
from eureka_loop.propose.llm import prompts
from eureka_loop.propose.llm.extract import extract
from eureka_loop.propose.llm.ledger import Ledger
from eureka_loop.propose.llm.prices import Prices
from eureka_loop.propose.llm.settings import LLMSettings, configured_model
from eureka_loop.records import Reply, Usage
from eureka_loop.store import Run

ATTEMPTS = 3  # at one call, where no answer or no choice comes
Messages = Sequence[Mapping[str, str]]


class LLMDesigner:
    """Asks a model for every sample on its own; samples differ by temperature and seed.

    Args:
        ledger: counts tokens and money, and stops before a limit is passed.

    Raises:
        BadInput: no key, no model (the message lists the ones on offer), no price where money is limited.
    """

    name = "llm"

    def __init__(
        self, settings: LLMSettings, ledger: Ledger, *, environ: Mapping[str, str] = os.environ
    ) -> None:
        from eureka_loop.propose.llm.endpoint import Endpoint  # the SDK takes half a second to import

        self._settings, self._ledger = settings, ledger
        self._endpoint = Endpoint(settings, environ)
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

    def propose(self, request: Request, sample: int) -> Reply:
        """One reply; a repair continues the exchange.

        Raises:
            BudgetSpent: a call didn't fit into the limits any more, and wasn't made.
            EndpointError: the call failed, or every call would.
            UnknownName: the endpoint doesn't know the model.
        """
        return self._ask(prompts.messages(request), _seed(request, sample))

    def _ask(self, messages: Messages, seed: int) -> Reply:
        """One choice; a call without an answer, or without a choice, is repeated."""
        problem = ""
        for attempt in range(ATTEMPTS):
            if problem:
                time.sleep(self._settings.pause * 4 ** (attempt - 1))
            try:
                return self._call(messages, (seed + attempt) % 2**31)
            except NoAnswer as error:
                problem = str(error)
        raise EndpointError(f"{self._endpoint.url}, {ATTEMPTS} times: {problem}")

    def _call(self, messages: Messages, seed: int) -> Reply:
        prompt, limit = _tokens(*(each["content"] for each in messages)), self._settings.max_tokens
        with self._ledger.call(self._ledger.usage(self.model, prompt, limit)) as call:
            try:
                completion = self._endpoint.complete(
                    self.model, messages, max_tokens=limit, temperature=self._settings.temperature, seed=seed
                )
            except EurekaError as error:
                if not (isinstance(error, NoAnswer) and error.served):
                    call.used = Usage(usd=0.0)
                raise
            sent, written = completion.prompt_tokens, completion.completion_tokens
            call.used = self._ledger.usage(
                self.model,
                prompt if sent is None else sent,
                _tokens(completion.text or "") if written is None else written,
            )
        if completion.text is None:
            raise NoAnswer("it sent no choice; choose another model or endpoint", served=True)
        reply = extract(
            completion.text,
            finish_reason=completion.finish_reason,
            refusal=completion.refusal,
            limit=limit,
        )
        exchange = {
            "messages": [dict(each) for each in messages],
            "reply": completion.text,
            "finish_reason": completion.finish_reason,
            "model": completion.model or self.model,
            "usage": files.plain(call.used),
            "request": {"model": self.model, **completion.parameters},
        }
        return replace(reply, exchange=exchange)


def create(config: RunConfig, run: Run | None) -> LLMDesigner:
    """The designer for a configuration. With a run, each call's cost is an event before the next counts.

    Raises:
        BadInput: no key, no model, a limit that can't be kept.
    """

    def record(spent: Usage) -> None:
        if run is not None:
            run.event("spent", **files.plain(spent))

    ledger = Ledger(
        Prices.load(),
        max_usd=config.max_usd,
        max_tokens=config.max_tokens,
        spent=run.spent() if run is not None else Usage(usd=0.0),
        record=record,
    )
    settings = LLMSettings(
        model=config.model,
        base_url=config.base_url,
        temperature=config.temperature,
        max_tokens=config.max_completion_tokens,
    )
    return LLMDesigner(settings, ledger)


def _seed(request: Request, sample: int) -> int:
    """A seed for each call: the same one would make the samples of a generation equal."""
    text = f"{request.seed} {request.generation} {sample} {request.attempt}"
    return zlib.crc32(text.encode()) >> 1


def _tokens(*texts: str) -> int:
    """An upper estimate: English and code take three to four bytes a token; here two, and ten a message."""
    return sum(len(text.encode()) // 2 + 10 for text in texts)
