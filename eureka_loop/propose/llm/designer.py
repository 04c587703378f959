"""The designer that asks a language model behind an OpenAI-compatible endpoint."""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from eureka_loop import files
from eureka_loop.config import RunConfig
from eureka_loop.errors import BadInput, EndpointError, EurekaError, NoAnswer, Unavailable
from eureka_loop.propose.designer import Request
from eureka_loop.propose.llm import images, prompts
from eureka_loop.propose.llm.answer import Counts
from eureka_loop.propose.llm.connection import DEADLINE, TIMEOUT
from eureka_loop.propose.llm.endpoint import LIMITS, Endpoint
from eureka_loop.propose.llm.extract import ENTRY, QUOTED, extract
from eureka_loop.propose.llm.ledger import Ledger, Price, load_prices
from eureka_loop.propose.llm.settings import configured_model
from eureka_loop.records import Reply, Usage
from eureka_loop.store import Run
from eureka_loop.text import one_line

ATTEMPTS = 4  # at one call, where no answer or no choice comes
PAUSE = 1.0  # seconds before the second attempt; four times as long before each further one


class LLMDesigner:
    """Asks a model for every sample on its own; samples differ by temperature and seed.

    Args:
        run: its earlier calls count; the cost of a further call is an event before the next counts.
        timeout: seconds without a byte before a call counts as lost.
        deadline: seconds of a whole answer; none is asked for again after that time.

    Raises:
        BadInput: no key, no model (the message lists the ones on offer), a limit that can't be kept.
    """

    name = "llm"

    def __init__(
        self,
        config: RunConfig,
        prices: Sequence[Price],
        run: Run | None = None,
        *,
        environ: Mapping[str, str] = os.environ,
        timeout: float = TIMEOUT,
        deadline: float = DEADLINE,
        pause: float = PAUSE,
    ) -> None:
        self._config, self._pause, self._reached = config, pause, False
        self._shown = run if config.images else None  # the run whose episodes are shown

        def say(message: str) -> None:
            if run is not None:
                run.event("adapted", message=message)

        self._endpoint = Endpoint(
            config.base_url, environ, timeout, deadline, run.folder if run else None, say
        )
        model = configured_model(config.model, environ)
        if model is None:
            offer = self._endpoint.offer()
            raise BadInput(f"no model is chosen: give --model, or set EUREKA_MODEL; {offer}")
        self.model: str = model

        def record(spent: Usage) -> None:
            if run is not None:
                run.event("spent", **files.plain(spent))

        self.ledger = Ledger(
            model,
            prices,
            max_usd=config.max_usd,
            max_tokens=config.max_tokens,
            spent=run.spent() if run else Usage(usd=0.0),
            record=record,
        )

    def propose(self, request: Request, sample: int) -> Reply:
        """One reply; a repair continues the exchange. Raises: as `ask`."""
        key = f"{request.seed} {request.generation} {sample} {request.attempt}"
        messages, ids = prompts.messages(request), [each.candidate.id for each in request.parents]
        if self._shown and ids and request.repair is None and request.change != "fresh":
            place, why = images.contact_sheet(self._shown, ids)
            messages[-1] |= {"image": place} if place else {}
            self._without_images(why)
        reply = self.ask(messages, key)
        if not self._endpoint.takes_images:
            self._without_images("the endpoint takes none")
        return replace(reply, parents=request.lineage, operator=request.change)

    def _without_images(self, why: str) -> None:
        """Go on without images, and say so once, where there is a reason."""
        if why and (run := self._shown):
            self._shown = None
            run.event("images_ended", reason=why)

    def ask(self, messages: Sequence[Mapping[str, str]], key: str, entry: str = ENTRY) -> Reply:
        """The program in one reply. A call without an answer or a choice is repeated.

        Not where the endpoint can't be reached and never was: waiting doesn't mend a wrong address.

        Args:
            key: the call's seed follows from it; the same one would make the samples of a generation equal.
            entry: the function that the program must define.

        Raises:
            BudgetSpent: a call didn't fit into the limits any more, and wasn't made.
            EndpointError: the call failed, or every call would.
            UnknownName: the endpoint doesn't know the model.
        """
        seed = zlib.crc32(key.encode()) >> 1
        end = time.monotonic() + self._endpoint.deadline
        for attempt in range(ATTEMPTS):
            try:
                return self._call(messages, (seed + attempt) % 2**31, entry)
            except NoAnswer as error:
                last = error
            self._reached |= not last.lasting
            if not self._reached or time.monotonic() > end:
                break
            if attempt < ATTEMPTS - 1:
                time.sleep(last.wait or self._pause * 4**attempt)
        failure = Unavailable if last.lasting else EndpointError
        times = f", {attempt + 1} times" if attempt else ""
        raise failure(f"{self._endpoint.url}{times}: {last}")

    def _call(self, messages: Sequence[Mapping[str, str]], seed: int, entry: str) -> Reply:
        limit, prompt = self._config.max_completion_tokens, _tokens(*(each["content"] for each in messages))
        prompt += images.TOKENS * sum("image" in each for each in messages)
        with self.ledger.call(self.ledger.usage(prompt, limit)) as call:
            try:
                answer, sent = self._endpoint.complete(
                    self.model, messages, limit, temperature=self._config.temperature, seed=seed
                )
            except EurekaError as error:
                if not (isinstance(error, NoAnswer) and error.served):
                    call.used = Usage(usd=0.0)
                raise
            self._reached = True
            counts = answer.usage or Counts()
            call.used = self.ledger.usage(
                prompt if counts.prompt_tokens is None else counts.prompt_tokens,
                _tokens(answer.text) if counts.completion_tokens is None else counts.completion_tokens,
            )
        if not answer.choices and not answer.filtered:
            raise NoAnswer("it sent no choice; choose another model or endpoint", served=True)
        finish = (answer.choices[0].finish_reason if answer.choices else "content_filter") or "stop"
        refusal = answer.message.refusal or ""
        if finish == "content_filter" and answer.filtered:
            refusal = f"content filter ({answer.filtered})"
        limit = next((sent[name] for name in LIMITS if name in sent), limit)
        reply = extract(answer.text, entry=entry, finish_reason=finish, refusal=refusal, limit=limit)
        exchange = {
            "messages": [dict(each) for each in messages],
            "reply": answer.text,
            "finish_reason": one_line(finish, QUOTED),
            "model": one_line(answer.model or self.model, QUOTED),
            "usage": files.plain(call.used),
            "request": {"model": self.model, **sent},
        }
        return self._endpoint.cleared(replace(reply, exchange=exchange))


def create(config: RunConfig, run: Run | None) -> LLMDesigner:
    return LLMDesigner(config, load_prices(), run)


def _tokens(*texts: str) -> int:
    """An upper estimate: English and code take three to four bytes a token; here two, and ten a message."""
    return sum(len(text.encode()) // 2 + 10 for text in texts)
