"""A reward program and the task's measures as one Python file that needs numpy and mujoco alone."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterable
from contextlib import closing

from eureka_loop import __version__
from eureka_loop.envs.domain import Domain
from eureka_loop.errors import BadInput
from eureka_loop.records import Task
from eureka_loop.reward.contract import ENTRY_POINTS, Kind, Program
from eureka_loop.reward.episode import EPISODE
from eureka_loop.reward.functions import SHAPING
from eureka_loop.reward.gate import check
from eureka_loop.reward.parsing import parse
from eureka_loop.simulate.definitions import Definitions, raw_needs, split
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.simulate.play import GOAL_KEYS
from eureka_loop.simulate.sources import SourceText
from eureka_loop.simulate.standalone import Exported, Observables

SIZES = ("nq", "nv", "nu", "nbody", "njnt", "ngeom", "nsite", "nsensordata")
OTHERS = ("import mujoco", "import numpy as np")
RAW = '''\
Raw = namedtuple("Raw", "source key shape index")
"""A column that is read: an array of MjData from an index on, a sum over contacts of a body, or what the
environment's reset or step takes or returns; with the shape of one row."""
'''
HEAD = '''\
"""{title}

Task {task} ({env_id}): {text}
Written by eureka-loop {version}; it needs numpy and mujoco alone.

    reward = Reward()
    obs, info = env.reset()
    model, data = env.unwrapped.model, env.unwrapped.data
    reward.reset(model, data{also})
    obs, _, terminated, truncated, info = env.step(action)
    terms = reward.step(model, data, action{stepped})
    total = reward.total(terms)
    score = reward.measure("fitness")  # at the episode's end

The measures are {measures}. A step is {dt:g} s of simulated time; `data` is what the
environment's own step leaves there.
"""

from __future__ import annotations

'''
GIVEN = {"obs": "obs", "info": "info", "terminated": "terminated", "reward": "native"}
"""Values of the environment that programs may need → their names in the example above."""


def python_text(task: Task, domain: Domain, source: str, title: str) -> str:
    """The file's text.

    Args:
        source: the reward program, which the gate checks.
        title: one line on where it comes from.

    Raises:
        Refused: the program, with every problem.
        BadInput: the env can't be made, or an observable of a domain file can't be written as text.
    """
    with closing(make_env(task)) as env:
        registry = ObservableRegistry(env, domain)
    measures: dict[Kind, str | None] = {
        "fitness": task.fitness,
        "success": task.success,
        "progress": task.progress,
    }
    programs = [check(source, registry.vocabulary, hidden=True)]
    programs += [
        check(each, registry.vocabulary, kind, hidden=True) for kind, each in measures.items() if each
    ]
    text = begun(domain)
    names = tuple(dict.fromkeys(name for each in programs for name in each.parameters))
    table = observables_table(registry.definitions, names, text)
    _add_shared(programs, text)
    for each in (Exported, Observables):
        text.expression(each)
    sizes = {name: int(getattr(registry.model, name)) for name in SIZES}
    table += f"SIZES = {text.expression(sizes)}  # of the model\n"
    bodies = "\n\n".join(map(_nested, programs))
    raws = raw_needs(registry.definitions, names)
    needed = {{"step": raw.key, "info": "info"}.get(raw.source, "") for raw in raws}
    needed |= {"obs"} if needed & {*GOAL_KEYS} else set()
    head = HEAD.format(
        title=_harmless(title),
        task=_harmless(task.name),
        env_id=_harmless(task.env_id),
        text=_harmless(task.text),
        version=__version__,
        also="".join(f", {name}={name}" for name in ("obs", "info") if name in needed),
        stepped="".join(f", {name}={value}" for name, value in GIVEN.items() if name in needed),
        measures=", ".join(each.kind for each in programs[1:]),
        dt=registry.vocabulary.dt,
    )
    if "reward" in needed:
        head = head.replace("obs, _, terminated", "obs, native, terminated")
    imports = "\n".join(
        sorted(text.imports, key=lambda line: (line in OTHERS, not line.startswith("import"), line))
    )
    whole = f"{head}{imports}\n\n\n{text}\n\n{bodies}\n\n{table}{_class(programs, text)}"
    _require_unchanged(programs, whole)
    return whole


def begun(domain: Domain) -> SourceText:
    """The text that definitions of a domain's observables go into."""
    text = SourceText(each.function.__module__.partition(".")[0] for each in domain.observables)
    text.imports |= {"import numpy as np", "from collections import namedtuple"}
    text.define("Raw", RAW)
    return text


def observables_table(definitions: Definitions, names: Iterable[str], text: SourceText) -> str:
    """Name → function, needs, accumulate, of all that the names are computed from, needs first; as text."""
    rows: dict[str, str] = {}

    def add(name: str) -> None:
        base = split(name, definitions)[1]
        if base in rows:
            return
        found = definitions[base]
        for need in found.needs:
            if isinstance(need, str):
                add(need)
        parts = map(text.expression, (found.function, found.needs, found.accumulate))
        rows[base] = f"    {text.expression(base)}: ({', '.join(parts)}),\n"

    for name in names:
        add(name)
    return (
        f"OBSERVABLES = {{  # name → function, what it takes, what adds it up\n{''.join(rows.values())}}}\n"
    )


def _add_shared(programs: Iterable[Program], text: SourceText) -> None:
    """The shaping functions, words for time and modules that programs use."""
    trees = [parse(each.source) for each in programs]
    names = {node.id for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Name)}
    text.imports |= {f"import {name}" for name in names & {"math", "numpy"}}
    known = SHAPING | EPISODE
    for name in sorted(names & known.keys()):
        text.expression(known[name])


def _nested(program: Program) -> str:
    """A function that holds a program, apart from the names of others; it returns its entry point."""
    text = program.source.encode()
    lines = [0]
    for line in text.splitlines(keepends=True):
        lines.append(lines[-1] + len(line))
    for node in reversed(parse(program.source).body):
        if isinstance(node, ast.Import | ast.ImportFrom):  # of what the file has, and of types
            begin = lines[node.lineno - 1] + node.col_offset
            end = lines[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
            text = text[:begin] + b"pass" + text[end:]
    body = textwrap.indent(text.decode().strip("\n"), "    ")
    return f"def {program.kind}_program():\n{body}\n\n    return {ENTRY_POINTS[program.kind]}\n"


def _class(programs: Iterable[Program], text: SourceText) -> str:
    rows = (f"{each.kind}_program(), {text.expression(each.parameters)}" for each in programs)
    table = "".join(f'    "{each.kind}": ({row}),\n' for each, row in zip(programs, rows, strict=True))
    return f'''\
PROGRAMS = {{  # kind → program, and what it takes
{table}}}


class Reward(Exported):
    """Terms of the reward, and measures of the episode."""

    def __init__(self):
        super().__init__(OBSERVABLES, SIZES, PROGRAMS)
'''


def _harmless(text: str) -> str:
    """Somebody's text within the file's first docstring."""
    shown = "".join(mark if mark.isprintable() else " " for mark in text)
    return " ".join(shown.replace("\\", "/").replace('"', "'").split())


def _require_unchanged(programs: Iterable[Program], whole: str) -> None:
    """
    Raises:
        BadInput: a program's text means something else where it stands in the file.
    """
    found = {node.name: node for node in ast.parse(whole).body if isinstance(node, ast.FunctionDef)}
    for each in programs:
        *body, _ = found[f"{each.kind}_program"].body
        if _meaning(body) != _meaning(parse(each.source).body):
            raise BadInput(
                f"the {each.kind} program can't be indented: write it with plain spaces and line ends"
            )


def _meaning(body: Iterable[ast.stmt]) -> list[str]:
    """Statements without imports, and without texts, whose lines are indented."""
    kept = [each for each in body if not isinstance(each, ast.Import | ast.ImportFrom | ast.Pass)]
    for node in (part for each in kept for part in ast.walk(each)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" in node.value:
            node.value = ""
    return [ast.dump(each) for each in kept]
