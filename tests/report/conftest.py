"""A small run as a folder, written through the store: 2 generations of 3, failures, references."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest
import tomli_w
from rich.console import Console

from eureka_loop import files
from eureka_loop.config import RunConfig, as_table
from eureka_loop.records import Candidate, Job, Reply, Task
from eureka_loop.results import Checkpoint, Failed, Score, TermStats, Trained, judged_episode
from eureka_loop.reward.vocabulary import Observable, Vocabulary
from eureka_loop.seeds import seeds
from eureka_loop.store import Run

STEPS = 50_000
CONFIG = RunConfig(
    seeds=1,
    report_seeds=3,
    task="halfcheetah-run",
    designer="llm",
    model="some-model",
    generations=2,
    samples=3,
    steps=STEPS,
    judge_episodes=4,
    jobs=2,
)
HUMAN = '''\
def compute_reward(forward_velocity, action, *, forward=1.0, control=0.1):
    """Run forward fast, waste no torque."""
    return {"forward": forward * forward_velocity, "control": -control * np.square(action).sum(axis=1)}
'''
SPARSE = '''\
def compute_reward(forward_velocity):
    """Forward speed and nothing else."""
    return {"speed": forward_velocity}
'''
TASK = Task(
    name="halfcheetah-run",
    env_id="HalfCheetah-v5",
    text="Make the half-cheetah run forward as fast as possible.",
    fitness="def fitness(forward_velocity):\n    return forward_velocity.mean()\n",
    success="def success(forward_velocity):\n    return forward_velocity.mean() > 2.0\n",
    sparse=SPARSE,
    human=HUMAN,
    human_source="Gymnasium 1.x, half_cheetah_v5.py",
)
VOCABULARY = Vocabulary(
    "HalfCheetah-v5",
    tuple(Observable(name, ()) for name in ("forward_velocity", "torso_upright", "action")),
)
REFUSAL = "Line 4: `if` on an array of N rows. Write `np.where(a, b, c)`.\nLine 6: unknown name 'foo'."
PROGRAM = '''\
def compute_reward(forward_velocity, torso_upright, action, *, speed={speed}, upright=0.5, effort=1e-3):
    """Run forward, stay level, waste no torque."""
    return {{
        "speed": speed * forward_velocity,
        "upright": upright * torso_upright,
        "effort": -effort * np.square(action).sum(axis=1),
        "_level": torso_upright,
    }}
'''


def trained(candidate: str, seed: int, fitness: float, progress: float | None = None) -> Trained:
    """A training whose fitness grew to `fitness`, judged on four episodes around it."""
    spread = (-0.1, 0.0, 0.0, 0.1)
    scores = tuple(
        judged_episode(
            index, fitness + each, float(fitness > 2), 1000, None if progress is None else Score(progress)
        )
        for index, each in enumerate(spread)
    )
    points = tuple(_checkpoint(number, fitness * number / 10) for number in range(1, 11))
    correlations = {"speed": 0.93, "upright": -0.12, "effort": None}
    return Trained(candidate, seed, STEPS, scores, points, correlations, 21.5)


def _checkpoint(number: int, fitness: float) -> Checkpoint:
    terms = {
        "speed": TermStats(fitness, fitness - 1, fitness + 1, 0.5 + 0.03 * number),
        "upright": TermStats(0.4, -0.5, 0.5, 0.4 - 0.03 * number),
        "effort": TermStats(-0.003, -0.006, 0.0, 0.1),
        "_level": TermStats(0.8, -1.0, 1.0, 0.0),
    }
    known = (fitness, 0.1 * number, 1000.0) if number > 1 else (None, None, None)  # an episode has ended
    return Checkpoint(number * STEPS // 10, 5 * (number > 1), *known, terms=terms)


class Script:
    """Writes a run step by step, so that a test can stop it anywhere."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        made_by = {"eureka-loop": "0.1.0", "torch": "2.8.0", "git_commit": "b80e0ab", "git_dirty": False}
        files.write_text(folder / "run.toml", tomli_w.dumps({**as_table(CONFIG), "made_by": made_by}))
        self.run = Run(folder)
        files.write_json(self.run.task_folder / "task.json", TASK)
        files.write_json(self.run.task_folder / "vocabulary.json", VOCABULARY)

    def started(self) -> None:
        c = CONFIG
        self.run.event(
            "started", task=TASK.name, designer="llm", algorithm=c.algo, generations=c.generations,
            samples=c.samples, seeds=c.seeds, steps=c.steps, jobs=c.jobs, report_seeds=c.report_seeds,
            references=["human", "sparse"],
        )  # fmt: skip

    def generation(self, number: int, parent: tuple[str, ...] = ()) -> None:
        """Three programs: the last fails at the gate in generation 0, in training in generation 1."""
        self.run.event("asked", ids=[f"g{number}-{index:02d}" for index in range(3)])
        self.run.event("generation", generation=number, samples=3)
        tokens = 12_000 * (number + 1)
        self.run.event("spent", prompt_tokens=tokens, completion_tokens=tokens // 8, usd=0.02 * (number + 1))
        for index in range(3):
            self.candidate(number, index, parent)

    def candidate(self, generation: int, index: int, parents: tuple[str, ...]) -> None:
        id = f"g{generation}-{index:02d}"
        source = PROGRAM.format(speed=1.0 + 0.5 * generation + index)
        note = f"sample {index + 1}" if not parents else f"improves on {parents[0]}"
        self.run.event("written", id=id, note=note, parents=list(parents), source=True)
        said = [("system", "You write reward functions."), ("user", "Make it run.")]
        messages = [{"role": role, "content": content} for role, content in said]
        reply = f"Here it is:\n```python\n{source}```"
        exchange = {"messages": messages, "reply": reply, "usage": {"prompt_tokens": 4000}}
        feedback = "The best so far reached 2.1.\nspeed: share 80%" if parents else ""
        if (generation, index) == (0, 2):
            self.run.fail(Failed(id, "refused", REFUSAL))
        else:
            self.run.event("gated", id=id, terms=["speed", "upright", "effort", "_level"])
        self.run.write_reply(id, Reply(source, parents, note, exchange=exchange))
        self.run.write_candidate(
            Candidate(id, generation, source, "llm", parents, note, "refine" if parents else ""),
            feedback=feedback,
        )

    def begin(self, id: str, seed: int) -> None:
        self.run.write_job(Job(id, seed, TASK, "", "ppo", STEPS, {}, (1, 2)))
        self.run.event("training", id=id, seed=seed, steps=STEPS)

    def progress(self, id: str, seed: int, step: int, fitness: float | None) -> None:
        last = {"step": step, "fitness": fitness, "steps_per_s": 2500.0}
        files.append_line(self.run.job_folder(id, seed) / "progress.jsonl", last)
        self.run.event("progress", id=id, seed=seed, steps=STEPS, **last)

    def end(self, id: str, seed: int, fitness: float | None, progress: float | None = None) -> None:
        """None: the training fails."""
        result: Trained | Failed = (
            Failed(id, "not_finite", "term 'speed' is NaN in 3 of 2,048 rows", "line 5", seed)
            if fitness is None
            else trained(id, seed, fitness, progress)
        )
        files.write_json(self.run.job_folder(id, seed) / "result.json", result)
        if isinstance(result, Failed):
            self.run.event("failed", id=id, seed=seed, kind=result.kind, message=result.message)
        else:
            scores = {"fitness": result.fitness, "success": result.success, "progress": result.progress}
            self.run.event("trained", id=id, seed=seed, **scores, seconds=21.5)

    def train(self, id: str, seed: int, fitness: float | None, progress: float | None = None) -> None:
        self.begin(id, seed)
        self.progress(id, seed, STEPS // 2, None if fitness is None else fitness / 2)
        self.end(id, seed, fitness, progress)

    def search(self) -> None:
        self.started()
        self.generation(0)
        self.train("g0-00", 0, 1.2)
        self.train("g0-01", 0, 2.1)
        self.run.event("ranked", generation=0, best="g0-01", fitness=2.1, order=["g0-01", "g0-00"])
        self.generation(1, ("g0-01",))
        self.train("g1-00", 0, 2.75)
        self.train("g1-01", 0, 1.9)
        self.train("g1-02", 0, None)
        self.run.event("ranked", generation=1, best="g1-00", fitness=2.75, order=["g1-00", "g1-01"])

    def report(
        self,
        winner: Sequence[float | None] = (2.5, 2.7, 2.6),
        human: Sequence[float | None] = (2.0, 2.2, 2.1),
        sparse: Sequence[float | None] = (0.4, 0.5, 0.9),
    ) -> None:
        self.run.event("reporting", winner="g1-00", references=["human", "sparse"], seeds=[])
        for id, source in (("human", HUMAN), ("sparse", SPARSE)):
            self.run.write_candidate(Candidate(id, 0, source, id))
        for id, values in (("g1-00", winner), ("human", human), ("sparse", sparse)):
            for seed, value in zip(seeds("report_training", 0, 3), values, strict=False):
                self.train(id, seed, value)

    def whole(self) -> Run:
        self.search()
        self.report()
        self.run.event("finished", winner="g1-00")
        return self.run


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    ticks = itertools.count(2.0, 2.0).__next__
    clock = SimpleNamespace(time=itertools.count(1_700_000_002.0, 2.0).__next__, monotonic=ticks)
    monkeypatch.setattr("eureka_loop.store.time", clock)
    monkeypatch.setattr("eureka_loop.report.inspect.time", clock)
    monkeypatch.setattr("eureka_loop.files.os.fsync", lambda descriptor: None)  # slow, and no crash here
    return Script(tmp_path / "20261121-120000-halfcheetah-run")


@pytest.fixture
def shown() -> Callable[..., str]:
    """A renderable as text, 100 columns wide by default."""

    def show(renderable: object, *, width: int = 100, colours: bool = False) -> str:
        console = Console(
            file=io.StringIO(), width=width, force_terminal=colours,
            markup=False, highlight=False, emoji=False,
            color_system="truecolor" if colours else None, _environ={"TERM": "xterm"},
        )  # fmt: skip
        console.print(renderable, crop=False)  # as `terminal.show` does
        assert isinstance(console.file, io.StringIO)
        return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())

    return show


class Screen(io.StringIO):
    """A file that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def hostile() -> str:
    """Text that would clear the screen, change the title, or be markup, were it obeyed."""
    return "[bold red]x[/] \x1b[2J\x1b]0;owned\x07 \x9b31m \u202e evil\r\n:smile: " + "y" * 300


class _Page(HTMLParser):
    """Every element with its attributes; asserts that all that opens is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in {"meta", "br", "hr", "img", "input", "link"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def offline(elements_of: Callable[[str], list[tuple[str, dict[str, str | None]]]]) -> Callable[[str], None]:
    """Asserts that a page has neither scripts nor requests, and links only to ids of its own."""

    def check(page: str) -> None:
        elements = elements_of(page)
        bad = {"script", "link", "iframe", "object", "embed", "base", "form", "image"}
        assert not bad & {tag for tag, _ in elements}
        ids = [each["id"] for _, each in elements if "id" in each]
        assert len(ids) == len(set(ids))
        for tag, attributes in elements:
            for name, value in attributes.items():
                assert not name.startswith("on"), (tag, name)
                if tag in ("video", "img"):
                    assert name != "src" or (value or "").startswith("data:"), value
                elif name in ("href", "src", "xlink:href", "action"):
                    assert (value or "")[:1] == "#", value
                    assert tag != "a" or (value or "")[1:] in ids
        assert not re.search(r"url\((?!#)|@import|https?://(?!www\.w3\.org/)", page)
        assert "default-src 'none'; style-src 'unsafe-inline'" in page

    return check


@pytest.fixture
def elements_of() -> Callable[[str], list[tuple[str, dict[str, str | None]]]]:
    """Tags and attributes of a well-formed HTML page."""

    def parse(text: str) -> list[tuple[str, dict[str, str | None]]]:
        page = _Page()
        page.feed(text)
        page.close()
        assert page.open == []
        return page.elements

    return parse


@pytest.fixture(autouse=True, scope="module")
def all_made_here() -> Iterator[None]:
    """Results of these tests are written, not trained; tests/attacks/test_foreign_folders.py tells them apart."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "_trained_here", lambda *_, **__: True)
        patch.setattr(Run, "made_here", True)
        yield
