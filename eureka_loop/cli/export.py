"""`eureka export`: a reward for code without this package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from eureka_loop import files
from eureka_loop.config import slug
from eureka_loop.errors import BadInput
from eureka_loop.options import optional, parse

if TYPE_CHECKING:
    from eureka_loop.records import Task
    from eureka_loop.store import Run


@dataclass(frozen=True)
class ExportOptions:
    """Write a reward and its task's measures as one Python file with numpy and mujoco alone; or a policy."""

    what: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN_OR_REWARD.py")] = tyro.MISSING
    """A run's folder, or a file with `def compute_reward(...)`, which needs --task."""
    id: Annotated[tyro.conf.Positional[str | None], optional("[ID]")] = None
    """A candidate of the run: g0-03; or human, sparse. Default: the winner."""
    to: Literal["python", "policy"] = "python"
    """python: reward.py. policy: policy.onnx, policy.safetensors, README.md (the median episode's)."""
    task: Annotated[str | None, optional("NAME")] = None
    """The task of the catalogue that a file's reward is for."""
    out: Annotated[Path | None, optional("FOLDER")] = None
    """Where to write. Default: exports/TASK-ID."""


def export(arguments: list[str]) -> int:
    """Write a reward for other code."""
    options = parse(ExportOptions, "export", arguments)
    return _of_run(options) if options.what.is_dir() else _of_file(options)


def _of_file(options: ExportOptions) -> int:
    from eureka_loop.envs.registry import find_task

    if options.to == "policy":
        raise BadInput(f"{options.what} is no folder of a run: only a run has policies")
    if options.what.suffix != ".py" or options.id:
        raise BadInput(f"{options.what} is no folder of a run; give one, or a reward file and --task NAME")
    source = files.read_text(options.what, BadInput)
    if not options.task:
        raise BadInput(f"say which task {options.what} is for: --task NAME; `eureka tasks` lists them")
    task = find_task(options.task)
    out = options.out or Path("exports") / f"{task.name}-{slug(options.what.stem)}"
    return _write(out, task, source, f"Reward of {options.what.name}")


def _of_run(options: ExportOptions) -> int:
    from eureka_loop.foreign import require_known_env
    from eureka_loop.report.compare.setup import winner
    from eureka_loop.report.layout import print_lines
    from eureka_loop.store import Run

    if options.task:
        raise BadInput(f"{options.what} has its own task: leave --task out")
    run = Run.open(options.what)
    require_known_env(run)
    id, task = options.id or winner(run).id, run.task()
    source, out = run.candidate(id).source, options.out or Path("exports") / f"{slug(task.name)}-{id}"
    if options.to == "policy":
        return _policy(run, id, out)
    if not run.made_here:
        print_lines(f"{run.folder} was not made here: read what its programs compute before you run the file")
    return _write(out, task, source, f"Reward {id} of {run.folder.resolve().name}")


def _write(out: Path, task: Task, source: str, title: str) -> int:
    from eureka_loop.envs.registry import find_domain
    from eureka_loop.report.layout import LOOKING, print_lines, waiting
    from eureka_loop.simulate.export import python_text

    with waiting(LOOKING):
        text = python_text(task, find_domain(task.env_id), source, title)
    files.write_text(out / "reward.py", text)
    print_lines(f"Reward: {out / 'reward.py'}")
    return 0


def _policy(run: Run, id: str, out: Path) -> int:
    from eureka_loop.execute.films import film
    from eureka_loop.report.layout import print_lines
    from eureka_loop.report.model_card import model_card
    from eureka_loop.train.exported import MODEL, WEIGHTS, export_policy

    chosen = film(run, id)
    arrays = export_policy(chosen.policy, out)
    files.write_text(out / "README.md", model_card(run, id, chosen.policy, arrays))
    print_lines(chosen.label, *(f"Written: {out / name}" for name in (MODEL, WEIGHTS, "README.md")))
    return 0
