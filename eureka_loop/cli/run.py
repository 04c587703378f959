"""`eureka run`, `resume` and `train`: parse the options, send a run down the line, show the outcome."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

import tyro

from eureka_loop import provenance
from eureka_loop.cli.confirm import confirm
from eureka_loop.config import RunConfig, TrainConfig, amend, load
from eureka_loop.errors import AnswersAwaited, BadInput, BudgetSpent, DesignerError
from eureka_loop.numbers import plural
from eureka_loop.options import Where, optional, parse, take, take_env_arguments, with_expression
from eureka_loop.store import Run

if TYPE_CHECKING:
    from rich.console import Console

LIMIT_REACHED = 3  # exit status: neither done nor failed; a script may raise the limit and resume
ANSWERS_AWAITED = 4  # exit status of `propose`

TRAINED_ONCE = RunConfig(minutes=0, generations=1, samples=1, confirm=1)

FILES = """

--config FILE   a run.toml whose values are the defaults here
--trust         use its address, its model and its leave for a weaker sandbox without asking
--human FILE    a hand-written reward to compare with, for a task of your own
--env-arg K=V   an argument of the environment, as in TOML; may be repeated: --env-arg xml_file=robot.xml
--observe NAMES, --terminate EXPRESSION
                where --env is a scene file: its observation, with commas; where its episodes end"""


def run(arguments: list[str]) -> int:
    """Have rewards written, trained and improved."""
    words = _Words.of(arguments)
    return _run(parse(RunConfig, "run", words.options, words.base, f"{run.__doc__}{FILES}"), words)


def _run(config: RunConfig, words: _Words, *, wait: bool = True) -> int:
    words.confirm(config, lambda: parse(RunConfig, "run", words.options))
    from eureka_loop.propose.designer import choice, settle
    from eureka_loop.propose.replay import with_recorded_numbers
    from eureka_loop.report.layout import print_lines
    from eureka_loop.search import lessons

    settled = settle(with_recorded_numbers(words.own(config)))
    created = _created(settled, human=words.human)
    if config.designer is None:
        print_lines(choice(settled))
    if given := lessons.read(created.folder):
        print_lines(f"{plural(len(given), 'lesson')} of earlier runs in the prompt (--no-lessons: none)")
    return _go(created, wait=wait)


def propose(arguments: list[str]) -> int:
    """As `run --designer manual`, or `resume RUN`, as far as that goes without further answers."""
    runs = (each for each in arguments if Path(each, "run.toml").is_file())
    paths = (each for each in arguments[:1] if "/" in each and " " not in each)  # of a run that isn't there
    if (folder := next(map(Path, (*runs, *paths)), None)) is None:
        words = _Words.of(arguments)
        base = replace(words.base, designer="manual")
        config = parse(RunConfig, "propose", words.options, base, f"{propose.__doc__}{FILES}")
        if config.designer != "manual":
            raise BadInput(
                f"--designer {config.designer} needs no answers: use `eureka run`, or leave it out"
            )
        return _run(config, words, wait=False)
    from eureka_loop.report.inspect import is_active
    from eureka_loop.report.layout import print_lines
    from eureka_loop.report.log import prompt
    from eureka_loop.report.state import RunState

    asked = Run.open(folder)
    if asked.config.designer != "manual":
        raise BadInput(
            f"{folder} has no prompts to answer: its designer is {asked.config.designer}, not manual"
        )
    prompts = RunState(asked.events()).prompts
    if is_active(asked) and prompts:  # another process waits for the answers
        print_lines(*map(prompt, prompts.values()))
        return ANSWERS_AWAITED
    return resume(arguments, "propose")


@dataclass(frozen=True)
class _Words:
    """A command's options, and the files that it names."""

    options: list[str]
    base: RunConfig
    config: Path | None
    human: Path | None
    env_kwargs: Mapping[str, Any]
    trusted: bool

    @classmethod
    def of(cls, arguments: list[str]) -> Self:
        arguments, config = take(arguments, "--config")
        arguments, human = take(arguments, "--human")
        arguments, env_kwargs = take_env_arguments(arguments)
        words = [word for word in arguments if word != "--trust"]
        base = load(Path(config)) if config else RunConfig()
        files = (Path(config) if config else None, Path(human) if human else None)
        return cls(with_expression(words), base, *files, env_kwargs, trusted=words != arguments)

    def own(self, config: RunConfig) -> RunConfig:
        """The configuration of the task that is named, with arguments, and the text of a measure."""
        from eureka_loop.search.task_measure import with_text

        return with_text(self._named(config))

    def _named(self, config: RunConfig) -> RunConfig:
        from eureka_loop.search.describe import of_its_own

        own = of_its_own(config, self.base)
        return replace(own, env_kwargs={**own.env_kwargs, **self.env_kwargs})

    def confirm(self, config: RunConfig, given: Callable[[], TrainConfig]) -> None:
        """See `confirm.confirm`; `given` parses the options without the file."""
        if self.config is not None:
            stated = replace(given(), env_kwargs=self.env_kwargs)
            confirm(self._named(config), stated, self.config, trusted=self.trusted)


@dataclass(frozen=True)
class ResumeOptions:
    """Go on where a run stopped; what is finished is kept."""

    run: Where
    """The run's folder."""
    jobs: Annotated[int | None, optional("N")] = None
    """Trainings at once, if other than before."""
    max_usd: Annotated[float | None, optional("USD")] = None
    """A new limit on money, what is spent already counted in; likewise those below."""
    max_tokens: Annotated[int | None, optional("N")] = None
    """A new limit on tokens."""
    max_hours: Annotated[float | None, optional("HOURS")] = None
    """A new limit on time."""
    max_completion_tokens: Annotated[int | None, optional("N")] = None
    """Tokens one reply may have from now on."""
    model: Annotated[str | None, optional("NAME")] = None
    """The language model from now on."""
    base_url: Annotated[str | None, optional("URL")] = None
    """The endpoint from now on."""
    trust: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Use the address, model and leave for a weaker sandbox of a run made elsewhere without asking."""


def resume(arguments: list[str], name: str = "resume") -> int:
    """Go on where a run stopped."""
    options = parse(ResumeOptions, name, arguments)
    from eureka_loop.propose.designer import check
    from eureka_loop.report.inspect import print_summary
    from eureka_loop.search.assemble import settled

    run = Run.open(options.run)
    if settled(run):
        with run.lock():
            return print_summary(run)
    own = ("run", "jobs", "trust")
    changed = {key: value for key, value in vars(options).items() if key not in own and value is not None}
    config = replace(run.config, **changed)
    given = RunConfig(model=options.model, base_url=options.base_url, out=config.out)
    confirm(config, given, run.folder, trusted=options.trust)
    run.lock()
    check(config, run)
    amend(run.folder / "run.toml", changed)
    run.event("resumed", **changed)
    return _go(run, options.jobs, wait=name == "resume")


@dataclass(frozen=True)
class ProgramOptions(TrainConfig):
    """Options of a command on one reward program."""

    task: Annotated[str, optional("TASK_OR_TEXT")] = ""
    program: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="REWARD.py")] = tyro.MISSING
    """A file with `def compute_reward(...)`."""


@dataclass(frozen=True)
class TrainOptions(ProgramOptions):
    """Train one reward program of your own, and judge it."""

    report_seeds: int = 0
    """Trainings on fresh seeds, of the references, too: a run's comparison; --config doesn't count here."""
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Print the outcome as JSON on standard output, and everything else on standard error."""


@dataclass(frozen=True)
class TuneOptions(ProgramOptions):
    """Search for better weights of a reward program: other numbers in its signature, the same code."""

    minutes: float = 10.0
    """Time of it all, which numbers that aren't given are planned to fit; 0: no plan."""
    generations: int = 0
    """How often weights are drawn, trained and judged; 0: what fits --minutes, or 3."""
    samples: int = 0
    """Weights tried a generation, 4 or more; 0: what fits --minutes, or 8."""
    confirm: int = 0
    """Trainings, in all, of a generation's best; 0: as in `eureka run`."""


def tune(arguments: list[str]) -> int:
    """Search for better weights of one reward program."""
    return _go(_of_program(TuneOptions, "tune", arguments, RunConfig(tune_share=1.0)))


def train(arguments: list[str]) -> int:
    """Train one reward program of the user's own."""
    if "--json" not in arguments:
        return _go(_of_program(TrainOptions, "train", arguments, TRAINED_ONCE))
    from eureka_loop.report.layout import terminal
    from eureka_loop.report.outcome import outcome

    log, made = terminal(stderr=True), None
    try:
        made = _of_program(TrainOptions, "train", arguments, TRAINED_ONCE, log)
        status = _go(made, console=log)
    except (Exception, KeyboardInterrupt) as error:
        print(json.dumps(outcome(made, error), indent=1))
        raise
    print(json.dumps(outcome(made), indent=1))
    return status


def _of_program(
    kind: type[ProgramOptions],
    name: str,
    arguments: list[str],
    config: RunConfig,
    console: Console | None = None,
) -> Run:
    """The run of a command on one program; its options replace those of `config`."""
    words = _Words.of(arguments)
    base, shared = words.base, {each.name for each in fields(TrainConfig)} - {"report_seeds"}
    defaults = kind(**{each: getattr(base, each) for each in shared})
    options = parse(kind, name, words.options, defaults, f"{kind.__doc__}{FILES}")
    if not options.task.strip():
        example = f"eureka {name} {options.program} --task halfcheetah-run"
        raise BadInput(f"say for which task: `{example}`; `eureka tasks` lists them")
    known = {each.name for each in fields(RunConfig)}
    config = replace(config, **{each: value for each, value in vars(options).items() if each in known})
    words.confirm(replace(config, designer="given"), lambda: parse(kind, name, words.options))
    tune, files = kind is TuneOptions, {"program": options.program, "human": words.human}
    return _created(words.own(config), tune=tune, console=console, **files)


def _created(
    config: RunConfig,
    *,
    program: Path | None = None,
    human: Path | None = None,
    tune: bool = False,
    console: Console | None = None,
) -> Run:
    """The run's folder; mistakes in the task are reported before the survey."""
    from eureka_loop.report.layout import LOOKING, print_lines, terminal, waiting
    from eureka_loop.search import assemble
    from eureka_loop.search.describe import task_of
    from eureka_loop.search.planning import Schedule, too_short

    ask = None
    if not task_of(config, drafts=program is None).fitness:
        from eureka_loop.cli.question import Question

        ask = Question(config)
    try:
        if ask is not None:
            ask.say(f"{LOOKING}…")  # a spinner would be in the way of the question
        with nullcontext() if ask else waiting(LOOKING, log=console or terminal()):
            created = assemble.create(config, program=program, human=human, tune=tune, ask=ask)
        if notes := created.vocabulary().notes:
            print_lines(*notes, console=console)
    except KeyboardInterrupt:
        print_lines("Stopped: interrupted before anything was begun; nothing is left of it", console=console)
        raise
    if (plan := Schedule.of(created)) is not None:
        print_lines(plan.plan.text, console=console)
    if short := too_short(created.config, created.training()):
        print_lines(short, console=console)
    return created


def say_unmarked() -> None:
    """Say where nothing that is trained will count as made here."""
    if why := provenance.problem():
        print(f"What is trained now won't count as made here: {why}", file=sys.stderr)


def _go(run: Run, jobs: int | None = None, *, wait: bool = True, console: Console | None = None) -> int:
    """Send a run down the line, with a live display; it is resumable after any end.

    Args:
        wait: whether a person's answers are waited for.
        console: in place of standard output; the report has no pictures then.
    """
    say_unmarked()
    from eureka_loop.report.inspect import print_stopped, print_summary
    from eureka_loop.report.layout import print_lines
    from eureka_loop.report.live import Live
    from eureka_loop.search import assemble, lessons

    with run:
        try:
            with (
                assemble.stops_recorded(run),
                Live(run, console) as live,
                assemble.assembled(run, jobs) as assembly,
            ):
                listed = "" if wait else "prompted"  # at the end
                run.listen(lambda event: None if event["event"] == listed else live(event))
                assemble.follow(assembly, wait=wait)
        except KeyboardInterrupt:
            print_stopped(run, "interrupted", console)
            return 130
        except BudgetSpent as spent:
            print_stopped(run, str(spent), console)
            return LIMIT_REACHED
        except AnswersAwaited as lacking:
            print_stopped(run, str(lacking), console, command="propose")
            return ANSWERS_AWAITED
        except DesignerError:
            print_stopped(run, "no more programs can be written now; the last line says why", console)
            raise
        status = print_summary(run, console, pictures=console is None)
        if lines := lessons.keep(run):
            print_lines("", *lines, console=console)
        return status
