"""The line, from end to end, with nothing but fakes: same calls for a new run and for a resumed one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from eureka_loop import loop
from eureka_loop.budget import Deadline
from eureka_loop.design.designer import Request, ScriptedDesigner, gathered
from eureka_loop.execute.engine import ScriptedEngine
from eureka_loop.execute.evaluate import Evaluation, Plan
from eureka_loop.program.vocabulary import Vocabulary
from eureka_loop.records import Candidate, Job, Task, Training
from eureka_loop.results import Evaluated, Score, Trained
from eureka_loop.search.eureka import EurekaStrategy
from eureka_loop.search.strategy import Ask
from eureka_loop.store import Run

TASK = Task("t", "E-v0", "x", "f")
FITNESS = {"bad": 1.0, "good": 3.0, "worse": 0.5, "middling": 2.0}


def answer(job: Job) -> Trained:
    return Trained(job.candidate, job.seed, 10, (Score(7, FITNESS[job.source], None, 1),), (), {}, 0.1)


def stages(run: Run, designer: ScriptedDesigner, engine: ScriptedEngine) -> loop.Stages:
    evaluation = Evaluation(run, engine, Plan(TASK, Training("ppo", {}), 10), Deadline(None))

    def brief(ask: Ask, history: Sequence[Evaluated]) -> Request:
        feedback = f"best {ask.best.candidate.id}" if ask.best else ""
        vocabulary = Vocabulary("E-v0", ())
        return Request(
            TASK, vocabulary, "ppo", 0.99, 10, ask.generation, ask.samples, 0, ask.best, feedback, history
        )

    def write(request: Request) -> list[Candidate]:
        candidates = [
            Candidate(f"g{request.generation}-{n:02d}", request.generation, reply.source or "", designer.name)
            for n, reply in enumerate(gathered(designer, request))
        ]
        for candidate in candidates:
            run.write_candidate(candidate, feedback=request.feedback)
        return candidates

    return loop.Stages(
        brief=brief,
        write=write,
        train=lambda candidates: evaluation.evaluate(candidates, (0,), (7,)),
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
