"""The measure of a task in plain words: drafted, scored on recorded episodes, attacked, and confirmed.

A model drafts it twice, apart; the first draft is mended in the light of the second, of the scores, and of
the ways in which the model itself would fool it. Without a model the embedded templates draft it. Nothing is
trained for it.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from eureka_loop import files
from eureka_loop.config import RunConfig
from eureka_loop.errors import BadInput, DesignerError, Refused
from eureka_loop.propose.llm import measure_prompts as conversation
from eureka_loop.propose.llm.designer import LLMDesigner
from eureka_loop.propose.llm.ledger import load_prices
from eureka_loop.propose.llm.prompts import Turn
from eureka_loop.propose.templates import goal_measure as templates
from eureka_loop.propose.write import REPAIRS
from eureka_loop.records import Reply, Task
from eureka_loop.results import JudgedEpisode
from eureka_loop.reward.measure import lacking, programs
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.search.recorded_episodes import RecordedEpisode, agreement, record, runs_in, score, table
from eureka_loop.search.task_measure import measured, try_fitness
from eureka_loop.store import Run

REPLIES = "drafts.json"  # in the run's task folder


@dataclass(frozen=True, slots=True)
class Draft:
    """A measure that could be taken, with its scores on recorded episodes.

    Attributes:
        author: "model small", "the embedded templates", "you".
        tau: Kendall's, of its scores with those of a rival that was drafted apart; None without one.
    """

    source: str
    author: str
    episodes: Sequence[RecordedEpisode]
    scores: Sequence[JudgedEpisode]
    dt: float = 0.0  # seconds a step
    tau: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A person's answer to a draft: a yes, unless it holds a program or words.

    Attributes:
        source: the draft as the person has changed it.
        words: what is wrong with it.
    """

    source: str = ""
    words: str = ""


class Ask(Protocol):
    """How a person is asked."""

    def __call__(self, draft: Draft) -> Answer:
        """
        Raises:
            BadInput: no.
        """
        ...

    def say(self, line: str) -> None:
        """Print a line on progress."""
        ...


def with_measure(
    run: Run, config: RunConfig, task: Task, vocabulary: Vocabulary, fork_server: ForkServer, ask: Ask
) -> tuple[RunConfig, Task, float]:
    """Configuration and task with the measure that a person takes, and the seconds for which one was asked.

    Raises: as `Drafting.draft`.
    """
    drafting = Drafting(run, config, task, vocabulary, fork_server, ask)
    with tempfile.TemporaryDirectory(prefix="eureka-") as folder:
        source = drafting.draft(Path(folder))
    config = replace(config, fitness=source, drafted="unconfirmed" if config.yes else "confirmed")
    return config, measured(task, source, vocabulary), drafting.waited


class Drafting:
    """Drafts the measure of a run that is being made.

    Args:
        run: its task folder has been surveyed into.

    Attributes:
        waited: seconds in which a person was asked.
    """

    def __init__(
        self,
        run: Run,
        config: RunConfig,
        task: Task,
        vocabulary: Vocabulary,
        fork_server: ForkServer,
        ask: Ask,
    ) -> None:
        self._run, self._config, self._task, self._vocabulary = run, config, task, vocabulary
        self._fork_server, self._ask, self._say, self._probe = fork_server, ask, ask.say, run.probe()
        self._keeping = threading.Lock()  # two drafts are written at once
        self._replies: list[Reply] = []
        self._messages: list[Turn] = []  # the conversation up to the draft at hand
        self.waited = 0.0

    def draft(self, folder: Path) -> str:
        """The program that a person takes; `folder` is for recorded episodes.

        Raises:
            BadInput: the person says no, or nothing can be drafted.
            DesignerError: no draft came.
        """
        self._say("recording episodes without training…")
        self._episodes = record(self._task, folder, runs_in(self._config.out, self._task))
        model: LLMDesigner | None = None
        if "llm" in self._config.designers:
            model = LLMDesigner(self._config, load_prices(), self._run)
        draft = self._of_model(model) if model else self._of_templates()
        while True:
            began = time.monotonic()
            answer = self._ask(draft)
            self.waited += time.monotonic() - began
            if answer.source:
                try:
                    draft = self._scored(answer.source, "you")
                except BadInput as wrong:
                    self._say(str(wrong))
            elif not answer.words:
                return draft.source
            elif model is None:
                self._say("without a model no words can change it: edit it")
            else:
                self._say("the model changes it…")
                said = conversation.words(
                    self._messages, draft.source, answer.words, self._shown(draft.scores)
                )
                draft = self._mended(model, said, draft)

    def _of_templates(self) -> Draft:
        self._say("no model is configured: the embedded templates draft the measure…")
        return self._scored(templates.draft(self._task, self._vocabulary), "the embedded templates")

    def _of_model(self, model: LLMDesigner) -> Draft:
        """Two drafts apart; the first that is admitted, mended."""
        self._say(f"{model.model} drafts the measure, twice…")
        asked = conversation.opening(self._task.text, self._vocabulary)
        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(lambda n: self._admitted(model, asked, str(n)), range(2)))
        drafts = [each for each in found if isinstance(each, Draft)]
        if not drafts:
            why = str(found[0]).partition("; resume")[0]  # there is nothing to resume
            raise DesignerError(f"no measure was drafted, and nothing was begun: {why}")
        draft, *rivals = drafts
        self._messages = asked
        shown: dict[str, object] = {"scores": self._shown(draft.scores)}
        if rivals:
            tau = agreement(draft.scores, rivals[0].scores)
            draft = replace(draft, tau=tau)
            shown |= {
                "rival": rivals[0].source,
                "rival_scores": self._shown(rivals[0].scores),
                "tau": "not defined" if tau is None else f"{tau:+.2f}",
            }
        self._say(f"{model.model} attacks the draft, and mends it…")
        return self._mended(model, conversation.attack(asked, draft.source, **shown), draft)

    def _mended(self, model: LLMDesigner, messages: list[Turn], draft: Draft) -> Draft:
        """The draft that comes back; the same where none does."""
        found = self._admitted(model, messages, str(len(self._replies)))
        if isinstance(found, DesignerError):
            self._say(f"the draft stays as it is: {found}")
            return draft
        self._messages = messages
        return replace(found, tau=draft.tau)

    def _admitted(self, model: LLMDesigner, messages: list[Turn], key: str) -> Draft | DesignerError:
        """A draft that passes the gate, runs on whole episodes and states its criteria."""
        problems = ""
        for attempt in range(REPAIRS + 1):
            try:
                seed = f"measure {self._config.seed} {key} {attempt}"
                reply = model.ask(messages, seed, conversation.ENTRY)
            except DesignerError as error:
                return error
            self._keep(reply)
            problems = reply.problem
            if reply.source is not None:
                try:
                    return self._scored(reply.source, f"model {model.model}", stated=True)
                except BadInput as wrong:
                    problems = str(wrong)
            messages = conversation.repair(messages, reply, problems)
        return DesignerError(f"a draft was refused {REPAIRS + 1} times; the last time: {problems}")

    def _keep(self, reply: Reply) -> None:
        """Put a reply on disk: it may have been paid for."""
        with self._keeping:
            self._replies.append(reply)
            files.write_json(self._run.task_folder / REPLIES, [files.plain(each) for each in self._replies])

    def _scored(self, source: str, author: str, *, stated: bool = False) -> Draft:
        """
        Args:
            stated: whether it has to state its criteria, and may name no hidden observable.

        Raises:
            BadInput: with every reason why the measure can't be used.
        """
        try:
            if stated:
                programs(source, self._vocabulary, hidden=False)
                if problems := lacking(source):
                    raise Refused(problems)
            task = measured(self._task, source, self._vocabulary)
            try_fitness(task, source, self._vocabulary, self._probe, self._fork_server)
            scores = score(task, self._vocabulary, self._fork_server, self._episodes)
        except Refused as refused:
            raise BadInput(str(refused)) from refused
        return Draft(source, author, self._episodes, scores, self._vocabulary.dt)

    def _shown(self, scores: Sequence[JudgedEpisode]) -> str:
        heads, rows = table(self._episodes, scores, self._vocabulary.dt)
        return "\n".join(" | ".join(row) for row in [heads, *rows])
