"""The line, from end to end, with nothing but fakes: same calls for a new run and for a resumed one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from eureka_loop.execute.budget import Deadline
from eureka_loop.execute.engine import ScriptedEngine, Watch
from eureka_loop.execute.evaluate import Evaluation, Plan
from eureka_loop.execute.group import Stretch
from eureka_loop.propose.designer import Request, ScriptedDesigner, collect
from eureka_loop.records import Candidate, Job, Later, Task, Training
from eureka_loop.results import Evaluated, Trained, judged_episode
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.search import loop
from eureka_loop.search.eureka import EurekaStrategy
from eureka_loop.search.steady import SteadyStrategy
from eureka_loop.search.steady_loop import search_steadily
from eureka_loop.search.strategy import Ask
from eureka_loop.store import Run

TASK = Task("t", "E-v0", "x", "f")
FITNESS = {"bad": 1.0, "good": 3.0, "worse": 0.5, "middling": 2.0}


def answer(job: Job) -> Trained:
    return Trained(
        job.candidate, job.seed, 10, (judged_episode(7, FITNESS[job.source], None, 1),), (), {}, 0.1
    )


def stages(run: Run, designer: ScriptedDesigner, engine: ScriptedEngine) -> loop.Stages:
    evaluation = Evaluation(run, engine, Plan(TASK, Training("ppo", {}), 10), Deadline(None))

    def brief(ask: Ask, history: Sequence[Evaluated]) -> Request:
        feedback = f"best {ask.best.candidate.id}" if ask.best else ""
        vocabulary = Vocabulary("E-v0", ())
        request = Request(TASK, vocabulary, "ppo", 0.99, 10, ask.generation, ask.samples, 0)
        return replace(
            request,
            parents=(ask.best,) if ask.best else (),
            feedback=feedback,
            history=history,
            only=ask.only,
        )

    def write(requests: Iterable[Request | None]) -> Iterator[Candidate | Later]:
        for request in requests:
            if request is None:
                yield Later()
                continue
            missing = [n for n in request.wanted if request.id(n) not in run.candidate_ids()]
            replies = collect(designer, replace(request, only=tuple(missing)))
            for sample, reply in zip(missing, replies, strict=True):
                id, generation = request.id(sample), request.generation
                written = Candidate(id, generation, reply.source or "", designer.name)
                run.write_candidate(written, feedback=request.feedback)
            yield from (run.candidate(request.id(sample)) for sample in request.wanted)

    return loop.Stages(
        brief=brief,
        write=write,
        train=lambda candidates: evaluation.stream(candidates, Stretch((0,), (7,))),
        retrain=lambda winner: evaluation.evaluate([winner], (20_000_000,), (8,), report=True),
    )


def test_the_line_ends_with_the_best_and_tells_each_generation_what_came_before(tmp_path: Path) -> None:
    run, designer = Run.create(tmp_path, "t"), ScriptedDesigner(["bad", "good", "worse", "middling"])
    built = stages(run, designer, ScriptedEngine(answer))
    best = loop.search(run, EurekaStrategy(2, 2), built)
    assert best is not None
    assert best.candidate.source == "good"
    assert [request.feedback for request in designer.requests] == ["", "best g0-01"]
    assert [len(request.history) for request in designer.requests] == [0, 2]
    ranks = [event["order"] for event in run.events() if event["event"] == "ranked"]
    assert ranks == [["g0-01", "g0-00"], ["g1-01", "g1-00"]]


def test_the_report_trains_the_winner_on_seeds_the_search_never_saw(tmp_path: Path) -> None:
    run, engine = Run.create(tmp_path, "t"), ScriptedEngine(answer)
    built = stages(run, ScriptedDesigner(["bad", "good"]), engine)
    best = loop.search(run, EurekaStrategy(1, 2), built)
    assert best is not None
    (reported,) = loop.report(run, best, built)
    assert [result.seed for result in reported.results] == [20_000_000]
    assert [event["event"] for event in run.events()][-1] == "finished"


class Unequal(ScriptedEngine):
    """Trains whatever has come, the last first, one at a time."""

    def run(self, folders: Iterable[Path | Later], watch: Watch) -> Iterator[Path | None]:
        waiting: list[Path] = []
        for folder in folders:
            if isinstance(folder, Path):
                waiting.append(folder)
            elif waiting:
                yield from super().run([waiting.pop()], watch)
            else:
                yield None
        for folder in reversed(waiting):
            yield from super().run([folder], watch)


def trained(run: Run) -> list[str]:
    return [event["id"] for event in run.events() if event["event"] == "trained"]


def told(run: Run) -> list[str]:
    return [event["id"] for event in run.events() if event["event"] == "told"]


SOURCES = ["bad", "good", "worse", "middling", "worse", "bad"]


def test_a_steady_search_goes_on_while_one_is_still_in_training(tmp_path: Path) -> None:
    run, designer = Run.create(tmp_path, "t"), ScriptedDesigner(SOURCES)
    best = search_steadily(run, SteadyStrategy(3, 2), stages(run, designer, Unequal(answer)))
    assert best is not None
    assert best.candidate.source == "good"
    assert told(run) == ["g0-01", "g1-00", "g1-01", "g2-00", "g2-01", "g0-00"]  # the first waits to the end
    asked = [[each.id(sample) for sample in each.wanted] for each in designer.requests]
    assert asked == [["g0-00", "g0-01"], ["g1-00"], ["g1-01"], ["g2-00"], ["g2-01"]]
    assert [len(each.history) for each in designer.requests] == [0, 1, 2, 3, 4]
    assert [each.feedback for each in designer.requests] == ["", *["best g0-01"] * 4]


@pytest.mark.parametrize("trainings", range(1, 7))
def test_a_steady_search_goes_on_from_what_is_on_disk(trainings: int, tmp_path: Path) -> None:
    """Ended after so many trainings; then with the rest of the programs."""

    class Ending(Unequal):
        def run(self, folders: Iterable[Path | Later], watch: Watch) -> Iterator[Path | None]:
            for folder in super().run(folders, watch):
                if len(self.ran) == trainings and folder is not None:
                    raise KeyboardInterrupt  # its result is on disk, and nobody knows
                yield folder

    run, first = Run.create(tmp_path, "t"), ScriptedDesigner(SOURCES)
    with pytest.raises(KeyboardInterrupt):
        search_steadily(run, SteadyStrategy(3, 2), stages(run, first, Ending(answer)))
    before, done = told(run), [path.parent.parent.name for path in run.folder.glob("**/result.json")]
    assert len(done) == trainings == len(before) + 1
    rest = SOURCES[len(run.candidate_ids()) :]
    engine = Unequal(answer)
    best = search_steadily(run, SteadyStrategy(3, 2), stages(run, ScriptedDesigner(rest), engine))
    assert best is not None
    assert best.candidate.source == "good"
    assert not {folder.parent.name for folder in engine.ran} & set(done)
    assert told(run)[: len(before)] == before
    assert sorted(told(run)) == sorted(trained(run)) == run.candidate_ids()
    assert len(run.candidate_ids()) == 6
