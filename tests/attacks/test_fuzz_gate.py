"""Whatever text it is given, the gate gives a program or its own refusal, in bounded time; what it lets
through is made of nothing that the contract forbids, and runs to terms or to a failure."""

from __future__ import annotations

import ast
import re
import time

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from eureka_loop.errors import Refused
from eureka_loop.reward.contract import Program
from eureka_loop.reward.gate import check
from tests.attacks.conftest import VOCABULARY

SECONDS = 5.0  # of processor time for one text; most take a millisecond

SEEDS = (
    """import numpy as np

LIMITS = (0.25, np.array([0.5, 0.75, 1.0]))

def near(a, b=0.0, *, margin=0.5):
    return tolerance(np.abs(a - b), bounds=(0.0, LIMITS[0]), margin=margin)

def compute_reward(x, v, *, speed=1.0, w=1e-3):
    '''Be near, be quick.'''
    terms = {}
    for i, name in enumerate(("first", "second", "third")):
        terms[name] = speed * near(v[:, i]) if i < 2 else np.where(x > 0, x, -x)
    up = np.stack([x, v[:, 0], v[:, 1]], axis=1) @ np.array([0.0, 0.0, 1.0])
    if w > 0.5 and not w == 2.0:
        up = up * math.sqrt(w)
    elif w < -1:
        up = np.zeros_like(x)
    f = lambda a: np.clip(a, -1.0, 1.0)
    return {"up": f(up), "_n": np.linalg.norm(v, axis=1), **terms, **{"k" : x}}
""",
    """def compute_reward(x: np.ndarray, v):
    y: float = 1.0
    a, b, c = v.T
    masked = np.zeros(len(x))
    masked[x > 0] = 2.0
    values = [v[:, i] * i for i in range(3) if i]
    values.append(wrap(x))
    named = {name: a + b for name in ("one", "two")}
    named.update({"three": np.einsum("ni,ni->n", v, v) ** 2 % 3.0, "four": masked})
    return {**named, "five": np.select([x > 0, x < -1], [a, b], default=0.0), "six": sum(values)}
""",
)
PIECES = (
    *"( ) [ ] { } , : . ; = == != < > + - * / ** // % @ & | ^ ~ -> := != \\ ' \" ''' # \n \n\n \t".split(" "),
    *"    |        |\n    |\n        |\n|\r\n|\x0c|\x00|\ufeff|\u202e|é|ｅ|𝓪|²|\ud800".split("|"),
    *"x v w np math numpy tolerance compute_reward fitness sum len range zip dict list tuple float int".split(),
    *"def return if elif else for in while break continue pass lambda and or not is None True False".split(),
    *"class try except finally with as raise assert del global nonlocal yield await async import from".split(),
    *"match case type print open eval exec getattr __import__ __class__ __builtins__ __globals__ _".split(),
    *".T .shape .dtype .sum .load .tofile .format .__class__ .append .items .base .flags .ctypes".split(),
    *"np.load np.sum( np.array([ np.where( np.linalg.norm( np.einsum( np.zeros( np.inf np.pi".split(),
    *"0 1 -1 0.5 1e999 -1e999 1e308 10**12 9**9**8 0xffffffffffffffffffff 1j 1_000 b'a' 'a' f'{x}' ...".split(),
    *"torch. torch.relu( torch.sigmoid( F.normalize( x.clamp( .pow( .relu() *x *v env.x dtype=x.dtype".split(),
    *"axis=1|axis=0|out=x|*args|**kwargs|@np.vectorize\n|[::0]|[:, 10**30]|{**x}|[x]*1000".split("|"),
)
soups = st.lists(st.sampled_from(PIECES), max_size=60).map(" ".join)


@st.composite
def mutants(draw: st.DrawFn) -> str:
    """A good program, cut, doubled, and sown with pieces."""
    source = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 6))):
        first = draw(st.integers(0, len(source)))
        last = min(len(source), first + draw(st.integers(0, 40)))
        piece = draw(st.one_of(st.just(""), st.sampled_from(PIECES), st.just(source[first:last] * 2)))
        source = source[:first] + piece + source[last:]
    return source


KINDS = [  # what may stand in each other's place
    words.split()
    for words in (
        "x v w np.pi a b c y up total values terms both near f 1.0 (x,v) [x] {'a':x} None x[0] v[:,0] v.T len(x)",
        "np.abs np.square np.zeros_like np.clip np.stack np.where sum len np.sum np.array tuple list dict norm wrap",
        "0 1 2 3 -1 0.5 1e-3 64 1000 10**12 1e308 1e999 np.inf np.nan True x.shape[0] v.shape[1]",
        "+ - * / ** // % @ & | < > == != and or in is",
        "np.abs torch.relu torch.sigmoid F.normalize x.clamp np.exp2 np.linalg.norm",
        ".T .shape .copy() .sum() .sum(axis=1) .mean(axis=-1) .reshape(-1) .items() .append(x) [0] [:,0] [None]",
    )
]


@st.composite
def swapped(draw: st.DrawFn) -> str:
    """A good program in which words stand for others of their kind."""
    words = re.split(r"(\w[\w.]*|[-+*/%@<>=]+)", draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 5))):
        place = draw(st.integers(0, len(words) - 1))
        kinds = [kind for kind in KINDS if words[place] in kind] or [[words[place]]]
        words[place] = draw(st.sampled_from([other for kind in kinds for other in kind]))
    return "".join(words)


anything = st.one_of(st.text(max_size=200), soups, mutants(), swapped())

FORBIDDEN = (
    "While Try TryStar With ClassDef Global Nonlocal Yield YieldFrom Await Match Raise AsyncFunctionDef"
    " AsyncFor AsyncWith JoinedStr FormattedValue NamedExpr Starred Delete Set SetComp"
).split()
ALLOWED = frozenset(
    "abs len float int bool tuple list any all min max zip sum enumerate round range dict"
    " tolerance ramp wrap dot norm rotate heading np numpy math".split()
)
IGNORED = ("numpy", "math", "__future__", "typing", "collections.abc", "numpy.typing")


def forbidden(tree: ast.Module) -> list[str]:
    """Forbidden parts of a program, found by other means than the gate's; annotations aren't run."""
    for node in ast.walk(tree):
        for field in {"annotation", "returns"} & set(node._fields):
            setattr(node, field, None)
    nodes = list(ast.walk(tree))
    bound = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    bound |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    bound |= {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    found = []
    for node in nodes:
        match node:
            case ast.FunctionDef(decorator_list=[_, *_]):
                found.append("decorator")
            case ast.Import(names=names):
                found += [alias.name for alias in names if alias.name not in IGNORED]
            case ast.ImportFrom(module=module):
                found += [module] if module not in IGNORED else []
            case ast.Attribute(attr=name, ctx=use) if name.startswith("_") or isinstance(use, ast.Store):
                found.append(name)
            case ast.Name(id=name) if name not in bound | ALLOWED:
                found.append(name)
            case _ if type(node).__name__ in FORBIDDEN:
                found.append(type(node).__name__)
    return found


def read(source: str) -> Program | None:
    """The gate's answer; None where it refuses."""
    begin = time.process_time()
    try:
        program, problems = check(source, VOCABULARY), []
    except Refused as refused:
        program, problems = None, [problem.line for problem in refused.problems]
    assert program is not None or problems
    assert all(0 < line <= source.count("\n") + source.count("\r") + 2 for line in problems)
    assert time.process_time() - begin < SECONDS
    return program


often = settings(
    max_examples=250, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
seldom = settings(often, max_examples=40)


@often
@given(source=anything)
def test_any_text_is_a_program_or_refused(source):
    program = read(source)
    if program is not None:
        assert forbidden(ast.parse(source)) == []


@seldom
@given(source=swapped())
def test_what_passes_runs_to_terms_or_to_a_failure_and_remembers_nothing(locked, source):
    if read(source) is not None:
        outcome = locked.run(source)
        assert locked.damage(outcome) == []
        assert outcome.steady


def test_the_programs_that_are_mutated_pass(locked):
    for source in SEEDS:
        assert read(source) is not None
        assert locked.run(source).failure is None


def test_the_other_look_sees_what_is_forbidden():
    for source in ("import os", "x.__class__", "open('a')", "while 1: pass", "f'{1}'", "@f\ndef g(): pass"):
        assert forbidden(ast.parse(source))
