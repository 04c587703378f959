"""One dataclass is the whole configuration of a run; `run.toml` is the same as a file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
import tyro
from pydantic import TypeAdapter, ValidationError

from eureka_loop import files, provenance
from eureka_loop.errors import BadInput, UnknownName
from eureka_loop.options import optional
from eureka_loop.records import letters


@dataclass(frozen=True)
class TrainConfig:
    """Options that `eureka train` shares with `run`: the task, and how its rewards are trained."""

    task: Annotated[tyro.conf.Positional[str], optional("TASK_OR_TEXT")] = ""
    """A name from `eureka tasks`, or the task in your own words (then --env is needed)."""
    env: Annotated[str | None, optional("ID")] = None
    """Gymnasium id, for a task in your own words (HalfCheetah-v5, my_package:MyEnv-v0), or robot.xml."""
    fitness: Annotated[str | None, optional("EXPRESSION|FILE.py")] = None
    """How well the task is done: an expression over observables, whose episode mean counts, or a file with
    `def fitness(...)`, of a whole episode, and `success` and `progress` where there are any. Default: one is
    drafted, for you to confirm."""
    drafted: Annotated[Literal["confirmed", "unconfirmed"] | None, tyro.conf.Suppress] = None
    """Of a drafted fitness: whether a person has confirmed it; recorded, not given."""
    algo: Literal["ppo", "sac"] = "ppo"
    """Training algorithm."""
    settings: Literal["tuned", "zoo"] = "tuned"
    """Hyperparameters: tuned for short trainings where a domain has such, or RL Baselines3 Zoo's."""
    trainer: Annotated[str | None, optional("{population,sb3}")] = None
    """population: many policies trained at once; sb3: one by one. Default: population where it can."""
    steps: int = 0
    """Environment steps each training gets; 0: what the task's domain advises, or what fits --minutes."""
    seeds: int = 1
    """Trainings of each candidate during the search."""
    report_seeds: Annotated[int | None, optional("N")] = None
    """Fresh trainings of the winner and of each reference at the end; 0 leaves the report out. Default: 5, or
    what fits --minutes."""
    judge_episodes: int = 10
    """Episodes in which a final policy is judged."""
    margin: Annotated[float | None, optional("FITNESS")] = None
    """Difference below which rewards are as good. Default: a tenth of the reference's lead over the floor."""
    executor: str = "local"
    """Where trainings run: local, or an executor that another package registers."""
    seed: int = 0
    """The run's seed, 0 to 999: every random choice follows from it."""
    jobs: int = 0
    """Trainings at once; 0: one a core."""
    max_hours: Annotated[float | None, optional("HOURS")] = None
    """Stop when the run has taken this long."""
    out: Path = Path("runs")
    """Where run folders go."""
    allow_reduced_sandbox: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Run generated code even where the sandbox is weaker than `strict`; `eureka doctor` says what it is."""
    env_kwargs: Annotated[Mapping[str, Any], tyro.conf.Suppress] = field(default_factory=dict)
    """Arguments of the environment; in a file: [env_kwargs] xml_file = "robot.xml"; else --env-arg."""
    hyperparameters: Annotated[Mapping[str, Any], tyro.conf.Suppress] = field(default_factory=dict)
    """Overrides of the domain's hyperparameters; only in a file: [hyperparameters] n_steps = 1024."""


@dataclass(frozen=True)
class RunConfig(TrainConfig):
    """Options of `eureka run`. Keys and passwords are no part of it: they come from the environment."""

    yes: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Take a drafted fitness unseen; reports call it unconfirmed."""
    designer: Annotated[str | None, optional("{templates,llm,manual,replay}")] = None
    """Author of the rewards, or several with commas: llm,templates. Default: llm where a model is configured,
    else templates."""
    model: Annotated[str | None, optional("NAME")] = None
    """The language model; default: $EUREKA_MODEL."""
    base_url: Annotated[str | None, optional("URL")] = None
    """An OpenAI-compatible endpoint: http://localhost:11434/v1. Default: $OPENAI_BASE_URL, else OpenAI's."""
    temperature: float = 1.0
    """How freely the model writes."""
    max_completion_tokens: int = 8192
    """Tokens one reply may have, thinking included."""
    replay: Annotated[Path | None, optional("RUN")] = None
    """The recorded run that the replay designer answers from."""
    minutes: float = 30.0
    """Time of the whole run, which steps, generations, samples and report seeds that aren't given are planned
    to fit; 0: no plan."""
    generations: int = 0
    """How often rewards are written, trained and judged; 0: what fits --minutes, or 3."""
    samples: int = 0
    """Reward programs a generation; 0: what fits --minutes, or 8."""
    confirm: int = 0
    """Trainings, in all, that a generation's best gets before it counts as such; 0: 5 where trainings take
    twenty rollouts or more, else --seeds."""
    steady: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Don't wait for a whole generation: whenever a candidate has ended, another is written."""
    strategy: str = "eureka"
    """Search strategy: eureka, islands, tree, steady, or one that another package registers."""
    tune_share: float = 0.0
    """Share of the generations, the last ones, that tune the weights of the best program."""
    bank: bool = False
    """Keep an episode of each policy, and don't train a program that ranks them backwards."""
    relabel: int = 0
    """Transitions of the bank that SAC trainings of the search begin with at most; 0: none."""
    images: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Show a model frames of the parents' median and worst judged episodes, where it takes images."""
    lessons: Annotated[bool, tyro.conf.FlagCreatePairsOff] = True
    """Neither give a model or a person the lessons of earlier runs nor keep those of this one."""
    max_usd: Annotated[float | None, optional("USD")] = None
    """Stop before the model costs more than this."""
    max_tokens: Annotated[int | None, optional("N")] = None
    """Stop before the model's prompts and replies exceed this many tokens."""

    def __post_init__(self) -> None:
        for name, least, most in LIMITS:
            value = getattr(self, name)
            if value is not None and not least <= value <= most and (value or name not in OPEN):
                flag = "--" + name.replace("_", "-")
                raise BadInput(f"{flag} {value} is out of range: give {least} to {most}")
        if self.steady and (self.relabel or self.confirm > self.seeds):
            other = "--relabel" if self.relabel else "--confirm"
            raise BadInput(
                f"{other} goes by whole generations, and a --steady search has none; leave one out"
            )

        if self.tune_share and 0 < self.samples < LEAST_TO_TUNE:
            raise BadInput(
                f"--samples {self.samples} is too few to tune weights: give {LEAST_TO_TUNE} or more"
            )

    def leaves_open(self, name: str) -> bool:
        """Whether a number is not given."""
        return getattr(self, name) is None or (name in OPEN and not getattr(self, name))

    @property
    def designers(self) -> tuple[str, ...]:
        """Names of the authors."""
        return tuple(name.strip() for name in (self.designer or "").split(",") if name.strip())

    @property
    def strategy_name(self) -> str:
        return "steady" if self.steady else self.strategy


USUAL = {"generations": 3, "samples": 8, "report_seeds": 5}  # where they aren't given, and nothing is planned
LEAST_TO_TUNE = 4  # samples: CMA-ES needs two better ones to learn from
OPEN = ("steps", "generations", "samples", "confirm")  # 0 where they aren't given
LIMITS: tuple[tuple[str, float, float], ...] = (
    ("generations", 1, 1000),
    ("samples", 1, 100),
    ("steps", 100, 1_000_000_000),
    ("minutes", 0, 1e7),
    ("seeds", 1, 100),
    ("confirm", 1, 100),
    ("report_seeds", 0, 100),
    ("judge_episodes", 1, 1000),
    ("margin", 0, 1e9),
    ("tune_share", 0, 1),
    ("relabel", 0, 1_000_000),
    ("seed", 0, 999),
    ("jobs", 0, 1024),
    ("temperature", 0, 2),
    ("max_completion_tokens", 256, 1_000_000),
    ("max_usd", 0, 1e9),
    ("max_tokens", 0, 10**12),
    ("max_hours", 0, 1e6),
)


def load(path: Path, base: RunConfig | None = None) -> RunConfig:
    """The configuration a TOML file states, over `base`. [made_by] and [sandbox] are records, not settings.

    Raises:
        BadInput: no such file, not TOML, or a key that doesn't exist (with the nearest).
    """
    table = read_table(path)
    for record in ("made_by", "sandbox"):
        table.pop(record, None)
    if (eta := table.pop("halving", 1)) != 1:  # older versions wrote it into every run.toml
        gone = "successive halving is gone; leave it out, and all candidates train to the end"
        raise BadInput(f"{path}: halving = {eta!r:.80}: {gone}")
    known = [each.name for each in fields(RunConfig)]
    for key in table:
        if key not in known:
            raise UnknownName(f"key in {path}", key, known, hint="`eureka run --help` lists them")
        if "\0" in str(table[key]):
            raise BadInput(f"{path}: {key} = {table[key]!r:.80} has a zero byte: remove it")
    try:
        read = TypeAdapter(RunConfig).validate_python({**asdict(base or RunConfig()), **table})
    except ValidationError as error:
        raise BadInput(f"{path}: {files.refusal(error)}") from error
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from error
    return read


def read_table(path: Path) -> dict[str, Any]:
    """A TOML file; BadInput where there is none."""
    try:
        return dict(files.bounded(tomllib.loads(files.read_text(path, BadInput))))
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path} is not valid TOML: {error}") from error


def write(path: Path, table: Mapping[str, Any], *, here: bool = True) -> None:
    """Write run.toml, as the last file of a new run, which is one made here."""
    content = tomli_w.dumps({key: value for key, value in table.items() if value is not None}).encode()
    if here:
        provenance.mark(path.parent, provenance.RUN, content)
    files.write_bytes(path, content)


def amend(path: Path, changes: Mapping[str, Any]) -> None:
    """Change settings of a run.toml, or unset them with None; records stay, and so does who has made it."""
    if changes:
        here = provenance.made_here(path.parent, provenance.RUN)
        write(path, {**read_table(path), **changes}, here=here)


def slug(text: str) -> str:
    """A file-system safe name of at most 40 letters, digits and hyphens, in the text's own script."""
    return re.sub("[-_]+", "-", letters(text.lower(), "-")).strip("-")[:40].strip("-") or "task"


def runs_near(folder: Path) -> str:
    """The latest runs in a folder that is none, or beside it, for messages."""
    for place in (folder, folder.parent, Path("runs")):
        if found := sorted(path.parent.name for path in place.glob("*/run.toml")):
            return f"; the latest in {place}: {', '.join(found[-3:])}"
    return " (it has no run.toml)"


def as_table(config: RunConfig) -> dict[str, Any]:
    """The configuration as TOML data: unset values are left out, since TOML has no null."""
    table = {key: value for key, value in asdict(config).items() if value is not None}
    return {key: str(value) if isinstance(value, Path) else value for key, value in table.items()}
