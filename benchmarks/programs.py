"""The answers of the gate and the dry run to reward programs that a language model wrote.

    python benchmarks/programs.py PROGRAMS_FOLDER

The folder holds one folder a search: `settings.json` (task, env), accepted programs `*.py`, refused replies
`*.refused.json`. Prints two tables:

- programs as they were written: how many pass, how many are refused;
- the accepted programs with one typical mistake each, put into the syntax tree: how many are refused by the gate
  and by the dry run, and of those how many messages name the line, hold code to write instead, and hold code that,
  put in the mistake's place, makes the program pass. What passes with a mistake is listed.
"""

from __future__ import annotations

import argparse
import ast
import copy
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from eureka_loop.envs.registry import find_domain, tasks
from eureka_loop.errors import Refused, RewardFailure
from eureka_loop.records import Task
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.trial import try_out
from eureka_loop.simulate.recorded import Survey, survey

Change = Callable[[ast.AST], ast.expr | None]


@dataclass(frozen=True)
class Verdict:
    """`by` is "gate" or "dry run", "" where the program passes."""

    by: str
    message: str = ""


class Checker:
    """The gate and the dry run of one environment."""

    def __init__(self, fork_server: ForkServer, found: Survey) -> None:
        self._fork_server, self._found = fork_server, found

    def __call__(self, source: str) -> Verdict:
        vocabulary = self._found.vocabulary
        try:
            program = check(source, vocabulary)
            shapes = vocabulary.shapes(program.parameters)
            try_out(self._fork_server, program, self._found.probe, shapes)
        except Refused as refused:
            return Verdict("gate", str(refused))
        except RewardFailure as failure:
            return Verdict("dry run", str(failure))
        return Verdict("")


# Mistakes: each maps a syntax node to what stands there by mistake; None where it doesn't apply.


def _no_axis(node: ast.AST) -> ast.expr | None:
    match node:
        case ast.Call(
            func=ast.Attribute(attr="sum" | "mean" | "max" | "min"), keywords=[ast.keyword(arg="axis")]
        ):
            return ast.Call(node.func, node.args, [])
    return None


def _row(node: ast.AST) -> ast.expr | None:
    match node:
        case ast.Subscript(slice=ast.Tuple(elts=[ast.Slice(None, None), index])) if isinstance(
            node.ctx, ast.Load
        ):
            return ast.Subscript(node.value, index, ast.Load())
    return None


def _call(name: str, other: str) -> Change:
    """Another function with the same arguments."""

    def change(node: ast.AST) -> ast.expr | None:
        if not isinstance(node, ast.Call) or ast.unparse(node.func) != name:
            return None
        return ast.Call(ast.parse(other, mode="eval").body, node.args, node.keywords)

    return change


def _conditional(node: ast.AST) -> ast.expr | None:
    match node:
        case ast.Call(args=[condition, a, b]) if ast.unparse(node.func) == "np.where":
            return ast.IfExp(condition, a, b)
    return None


def _and(node: ast.AST) -> ast.expr | None:
    match node:
        case ast.BinOp(op=ast.BitAnd(), left=left, right=right):
            return ast.BoolOp(ast.And(), [left, right])
    return None


def _no_column(node: ast.AST) -> ast.expr | None:
    match node:
        case ast.Subscript(
            value=value, slice=ast.Tuple(elts=[ast.Slice(None, None), ast.Constant(value=None)])
        ):
            return value
    return None


def _column(node: ast.AST) -> ast.expr | None:
    """A component that keeps its axis: (N, 1)."""
    match node:
        case ast.Subscript(slice=ast.Tuple(elts=[ast.Slice(None, None), ast.Constant(value=int() as k)])):
            kept = ast.Tuple([ast.Slice(), ast.Slice(ast.Constant(k), ast.Constant(k + 1))], ast.Load())
            return ast.Subscript(node.value, kept, ast.Load()) if isinstance(node.ctx, ast.Load) else None
    return None


def _centred(node: ast.AST) -> ast.expr | None:
    """The first term less its mean over the batch."""
    match node:
        case ast.Dict(values=[first, *_]) if isinstance(node.keys[0], ast.Constant):
            mean = ast.Call(ast.parse("np.mean", mode="eval").body, [first], [])
            return ast.Dict(node.keys, [ast.BinOp(first, ast.Sub(), mean), *node.values[1:]])
    return None


def _total(node: ast.AST) -> ast.expr | None:
    match node:
        case ast.Dict(values=[first, *_]) if isinstance(node.keys[0], ast.Constant):
            return ast.Dict([*node.keys, ast.Constant("total")], [*node.values, first])
    return None


MISTAKES: dict[str, Change] = {
    "no `axis=1`": _no_axis,
    "`x[2]` for `x[:, 2]`": _row,
    "`a if c else b` for `np.where`": _conditional,
    "`max` for `np.maximum`": _call("np.maximum", "max"),
    "`min` for `np.minimum`": _call("np.minimum", "min"),
    "`and` for `&`": _and,
    "`math.exp` for `np.exp`": _call("np.exp", "math.exp"),
    "`torch.exp` for `np.exp`": _call("np.exp", "torch.exp"),
    "`x.clamp` for `np.clip`": _call("np.clip", "torch.clamp"),
    "`np.linalg.norm(x)` for `norm(x)`": _call("norm", "np.linalg.norm"),
    "no `[:, None]`": _no_column,
    "`x[:, 2:3]` for `x[:, 2]`": _column,
    "a term less its batch mean": _centred,
    "a term 'total'": _total,
}


def mistaken(source: str, change: Change) -> tuple[str, str] | None:
    """The program with the first mistake of a kind, and that mistake's text; None where it doesn't apply."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        wrong = change(copy.deepcopy(node))
        if wrong is not None:
            changed = _Replace(node, ast.copy_location(wrong, node)).visit(tree)
            return ast.unparse(ast.fix_missing_locations(changed)), ast.unparse(wrong)
    return None


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.expr) -> None:
        self._old, self._new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self._new if node is self._old else super().visit(node)


def misspelt(source: str) -> tuple[str, str] | None:
    """The program with the last letter of its longest observable's name left out."""
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    entry = next(node for node in functions if node.name == "compute_reward")
    names = [each.arg for each in entry.args.args]
    name = max(names, key=len)
    return (re.sub(rf"\b{name}\b", name[:-1], source), name[:-1]) if name[:-1] not in names else None


def suggestions(message: str) -> Iterator[str]:
    """Code in a message that could stand in a program."""
    for text in re.findall(r"(?:[Ww]rite|or|,|did you mean) [`']([^`']+)[`']", message):
        yield text.partition(" = ")[2] or text


def repaired(source: str, mistake: str, message: str, passes: Checker) -> bool:
    """Whether the message's code, put in the mistake's place, makes the program pass."""
    quoted = re.findall(r"`([^`]+)`(?: mixes| takes| is \(N| may be| can't|: write)", message)
    for place in (mistake, *quoted):
        for written in suggestions(message):
            if place in source and not passes(source.replace(place, f"{written}")).by:
                return True
            if place in source and not passes(source.replace(place, f"({written})")).by:
                return True
    return False


def programs(folder: Path) -> Iterator[tuple[Task, list[str], list[str]]]:
    """Per search: its task, accepted programs, refused ones."""
    for search in sorted(path for path in folder.iterdir() if path.is_dir()):
        settings = json.loads((search / "settings.json").read_text())
        task = tasks().get(settings["task"])
        if task is None:
            task = Task(search.name, settings["env"], settings["task"], settings["fitness"])
        accepted = [path.read_text() for path in sorted(search.glob("*.py"))]
        replies = [json.loads(path.read_text())[0]["reply"] for path in sorted(search.glob("*.refused.json"))]
        yield task, accepted, [re.findall(r"```python\n(.*?)```", reply, re.DOTALL)[-1] for reply in replies]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    written: Counter[str] = Counter()
    made: dict[str, Counter[str]] = {name: Counter() for name in (*MISTAKES, "a misspelt observable")}
    passed = []
    with ForkServer() as fork_server:
        for task, accepted, refused in programs(parser.parse_args().folder):
            passes = Checker(fork_server, survey(task, find_domain(task.env_id)))
            for source in accepted:
                written[f"accepted then, now {passes(source).by or 'accepted'}"] += 1
                for name, counted in made.items():
                    found = mistaken(source, MISTAKES[name]) if name in MISTAKES else misspelt(source)
                    if found is None:
                        continue
                    verdict = passes(found[0])
                    counted["programs"] += 1
                    counted[verdict.by or "passed"] += 1
                    counted["line"] += "Line " in verdict.message
                    counted["code"] += bool(verdict.by) and any(suggestions(verdict.message))
                    counted["repaired"] += bool(verdict.by) and repaired(*found, verdict.message, passes)
                    if not verdict.by:
                        passed.append(f"{name}: {found[1][:80]}")
            for source in refused:
                verdict = passes(source)
                written[f"refused then, now {verdict.by or 'accepted'}"] += 1
                print(f"{task.name}: {verdict.message}")
    for text, count in written.items():
        print(f"{text:<40}{count:>6}")
    columns = ("programs", "gate", "dry run", "passed", "line", "code", "repaired")
    print(f"\n{'mistake':<36}" + "".join(f"{column:>10}" for column in columns))
    for name, counted in made.items():
        print(f"{name:<36}" + "".join(f"{counted[column] or '-':>10}" for column in columns))
    sums = [sum(counted[column] for counted in made.values()) for column in columns]
    print(f"{'all':<36}" + "".join(f"{number:>10}" for number in sums))
    print("\nPassed with a mistake:", *Counter(passed).items(), sep="\n  ")


if __name__ == "__main__":
    main()
