"""Code written for another library (`torch.norm(x, dim=-1)`, `x.clamp(0, 1)`), as numpy has it."""

from __future__ import annotations

import ast
import copy

from eureka_loop.reward.allowed import NUMPY, NUMPY_CONSTANTS
from eureka_loop.reward.problems import code

MODULES = ("torch", "jnp", "jax", "tf", "F", "nn", "cp", "scipy", "onp", "th")

_RENAMED = {  # where numpy's name differs
    "clamp": "clip",
    "clip_by_value": "clip",
    "clamp_min": "maximum",
    "clamp_max": "minimum",
    "cat": "concatenate",
    "concat": "concatenate",
    "tensor": "array",
    "as_tensor": "asarray",
    "FloatTensor": "array",
    "norm": "linalg.norm",
    "reduce_sum": "sum",
    "reduce_mean": "mean",
    "mul": "multiply",
    "sub": "subtract",
    "div": "divide",
    "empty": "zeros",
    "empty_like": "zeros_like",
}
_PATTERNS = {  # where numpy has no such function; {0} and {1} stand for the arguments
    "sigmoid": "1 / (1 + np.exp(-{0}))",
    "expit": "1 / (1 + np.exp(-{0}))",
    "relu": "np.maximum({0}, 0)",
    "softplus": "np.log1p(np.exp({0}))",
    "unsqueeze": "np.expand_dims({0}, {1})",
    "pow": "{0} ** {1}",
    "normalize": "{0} / norm({0})[:, None]",
}
_NOTHING = (
    "float",
    "double",
    "detach",
    "cpu",
    "cuda",
    "numpy",
    "to",
    "contiguous",
    "clone",
    "type",
)  # of x: x
_DROPPED = ("device", "dtype", "p", "requires_grad")
_KEYWORDS = {"dim": "axis", "keepdim": "keepdims"}


def instead_of(name: str) -> str:
    """What to write for a function of another library's name; "" where that isn't known."""
    if name in _RENAMED:
        return f"np.{_RENAMED[name]}"
    return _PATTERNS.get(name, "").format("x", "y")


def translated(call: ast.Call) -> str | None:
    """The call, and all within it, for numpy; None where the outermost can't be."""
    translator = _Translator()
    result = translator.visit(copy.deepcopy(call))
    return code(result) if translator.last is result and result is not None else None


def root(node: ast.expr) -> str:
    """The name that a chain of attributes begins with; "" where it begins otherwise."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


class _Translator(ast.NodeTransformer):
    """Rewrites from the inside out; `last` is the node it made last."""

    last: ast.AST | None = None

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        result = self._numpy(node) if isinstance(node.func, ast.Attribute) else None
        if result is None:
            return node
        self.last = result
        return result

    def _numpy(self, node: ast.Call) -> ast.expr | None:
        assert isinstance(node.func, ast.Attribute)
        name, of_module = node.func.attr, root(node.func) in (*MODULES, "np", "numpy")
        arguments = node.args if of_module else [node.func.value, *node.args]
        if name in _PATTERNS and len(arguments) > _PATTERNS[name].count("{1}"):
            return _from_pattern(_PATTERNS[name], arguments)
        if name in _NOTHING and arguments:
            return arguments[0]
        target = _RENAMED.get(name, name)
        if target not in NUMPY:
            return None
        keywords = [
            ast.keyword(_KEYWORDS.get(each.arg or "", each.arg), each.value)
            for each in node.keywords
            if each.arg not in _DROPPED
        ]
        return ast.Call(ast.Name(f"np.{target}", ast.Load()), arguments, keywords)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if root(node) in MODULES and node.attr in NUMPY_CONSTANTS:
            return ast.Name(f"np.{node.attr}", ast.Load())
        self.generic_visit(node)
        return node


def _from_pattern(pattern: str, arguments: list[ast.expr]) -> ast.expr | None:
    """None where an argument is too long to be written out again, or can't stand in an expression."""
    try:
        texts = [code(_operand(argument)) for argument in arguments[:2]]
        return ast.parse(pattern.format(*texts), mode="eval").body
    except (SyntaxError, ValueError):
        return None


def _operand(node: ast.expr) -> ast.expr:
    """As it may stand beside an operator."""
    bare = isinstance(node, ast.Name | ast.Call | ast.Attribute | ast.Subscript | ast.Constant)
    return node if bare else ast.Name(f"({ast.unparse(node)})", ast.Load())
