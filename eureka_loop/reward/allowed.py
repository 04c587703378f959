"""The names and functions that a program may use, as data, and what to write instead of others.

Left out on purpose: whatever reads or writes files, calls back into Python, makes objects other than arrays
of numbers, reads uninitialised memory (`empty`), writes into an argument (`out=`) or is random.
"""

from __future__ import annotations

import ast


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


SYNTAX = _names(  # node types of Python's syntax tree
    "Module FunctionDef arguments arg Return Pass Expr Assign AugAssign AnnAssign For If Break Continue"
    " Constant Name Attribute Subscript Slice Call keyword BinOp UnaryOp BoolOp Compare IfExp Import"
    " ImportFrom Tuple List Dict Lambda ListComp GeneratorExp DictComp comprehension Load Store Add Sub Mult"
    " Div FloorDiv Mod Pow MatMult BitAnd BitOr BitXor USub UAdd Not Invert And Or Eq NotEq Lt LtE Gt GtE"
    " Is IsNot In NotIn"
)
ANNOTATION = _names("Name Attribute Subscript Constant Tuple List BinOp BitOr Load")

ELEMENTWISE = _names(
    "abs absolute fabs negative positive sign exp exp2 expm1 log log2 log10 log1p sqrt cbrt square"
    " reciprocal sin cos tan sinh cosh tanh arcsin arccos arctan arcsinh arccosh arctanh"
    " asin acos atan asinh acosh atanh deg2rad rad2deg degrees radians floor ceil trunc rint sinc"
    " isfinite isnan isinf signbit copy where"
    " add subtract multiply divide true_divide floor_divide power pow float_power mod remainder fmod"
    " maximum minimum fmax fmin arctan2 atan2 hypot copysign heaviside polyval"
    " greater greater_equal less less_equal equal not_equal logical_and logical_or logical_xor"
    " logical_not bitwise_and bitwise_or bitwise_xor"
    " clip round around isclose nan_to_num interp"
)
REDUCTIONS = _names(
    "sum mean prod max min amax amin any all median ptp argmax argmin count_nonzero"
    " nansum nanmean nanmax nanmin std var average percentile quantile linalg.norm"
    " maximum.reduce minimum.reduce logical_and.reduce logical_or.reduce add.reduce"
)
ALONG_AXIS = _names("cumsum cumprod sort argsort flip gradient diff roll")  # one result an element
CREATION = _names(
    "array asarray zeros ones zeros_like ones_like arange full full_like linspace eye identity diag select"
)
NUMPY = (
    ELEMENTWISE
    | REDUCTIONS
    | ALONG_AXIS
    | CREATION
    | _names(
        "stack concatenate expand_dims squeeze repeat take take_along_axis cross"
        " column_stack hstack vstack reshape broadcast_to tile moveaxis swapaxes ravel atleast_1d atleast_2d"
        " transpose dot inner outer matmul einsum linalg.det linalg.inv"
    )
)
NUMPY_VALUES = _names("pi e inf nan newaxis float64 float32 int64 int32 bool_")

MATH = _names(  # of one number; nothing that makes large integers (factorial, comb, prod)
    "sqrt exp log log2 log10 log1p expm1 sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh"
    " fabs floor ceil trunc radians degrees isfinite isinf isnan erf pow atan2 fmod copysign hypot isclose"
)
MATH_VALUES = _names("pi e tau inf nan")

BUILTINS = _names("abs len float int bool tuple list any all min max round range zip sum enumerate dict")
TYPES = _names("float int bool")  # builtins that may also stand as a value: dtype=float

ARRAY_METHODS = _names(
    "sum mean prod max min any all argmax argmin std var cumsum cumprod argsort squeeze repeat"
    " clip round astype swapaxes reshape transpose dot copy ravel flatten"
)
CONTAINER_METHODS = _names("items keys values append extend update get")  # of a program's lists and dicts
METHODS = ARRAY_METHODS | CONTAINER_METHODS
ATTRIBUTES = _names("shape ndim size dtype T")

# Of every function; a function that doesn't take a keyword fails when it runs.
KEYWORDS = _names(
    "axis keepdims ddof weights q ord n shift axes dtype fill_value num endpoint default decimals"
    " a_min a_max min max rtol atol rel_tol abs_tol nan posinf neginf left right strict start"
)

MODULES = {"np": "numpy", "numpy": "numpy", "math": "math"}  # names a program sees → what they stand for
FUNCTIONS = {"numpy": NUMPY, "math": MATH}
VALUES = {"numpy": NUMPY_VALUES, "math": MATH_VALUES}
# Written out of habit and ignored: the names are there without them.
IMPORTS = frozenset({("numpy", "np"), ("numpy", "numpy"), ("math", "math")})
IMPORTS_FROM = frozenset({"__future__", "typing", "collections.abc", "numpy.typing"})  # for annotations alone

SURROUNDINGS = ("self", "env", "physics", "model", "data", "sim", "cfg")  # what other interfaces pass in
_LIBRARIES = ("torch", "jnp", "jax", "tf", "F", "nn", "cp", "scipy")

_NO_MEMORY = "a program has no memory: ask for `prev_<name>`, `init_<name>` or a tracker"
REFUSED: dict[type[ast.AST], str] = {  # syntax that isn't allowed → what to write
    ast.While: "`while` may never end: write `for i in range(10):` with a fixed number",
    ast.Try: "`try` hides errors: guard the value: `np.where(d > 1e-8, a / np.maximum(d, 1e-8), 0.0)`",
    ast.With: "`with` can't be used: remove it and keep its body",
    ast.ClassDef: "`class` can't be used: write functions above the entry point",
    ast.Global: f"`global` can't be used: {_NO_MEMORY}",
    ast.Nonlocal: f"`nonlocal` can't be used: {_NO_MEMORY}",
    ast.Raise: "`raise` can't be used: remove it",
    ast.Assert: "`assert` can't be used: remove it; shapes are checked for you",
    ast.Delete: "`del` can't be used: remove it",
    ast.Match: "`match` can't be used: write `np.where` or `np.select`",
    ast.JoinedStr: 'f-strings can\'t be used: write every key as a literal string: `"left_foot"`',
    ast.NamedExpr: "`:=` can't be used: assign on a line of its own",
    ast.Set: "sets can't be used: write a tuple",
    ast.Starred: "`*` can't be used here: write the items out",
}
INSTEAD = {  # names, numpy's functions, methods and keywords that aren't allowed → what to write
    **dict.fromkeys(SURROUNDINGS, "name the quantity as a parameter"),
    **dict.fromkeys(_LIBRARIES, "arrays are numpy's, write `np` functions"),
    "print": "nothing is shown; to log a value return it as a term whose name begins with `_`",
    "isinstance": "the inputs are always arrays: remove the check",
    "map": "write array operations, or a list comprehension",
    "sorted": "write `np.sort(x, axis=1)`",
    "set": "write a tuple",
    "str": "text can't be built: write it out, as a literal",
    "format": "text can't be built: write the key as a literal string",
    "random": "programs are deterministic: there is no randomness",
    "vectorize": "write array operations on the whole batch",
    "apply_along_axis": "write array operations on the whole batch",
    "piecewise": "write `np.where` or `np.select`",
    "unwrap": "ask for a tracker, such as `<body>_yaw_total`; `wrap` is for the difference of angles",
    "item": "arrays stay arrays: remove it",
    "sort": "write `np.sort(x, axis=1)`, which leaves its input as it is",
    "clamp": "write `np.clip`",
    "cat": "write `np.concatenate([a, b], axis=1)`",
    "tensor": "write `np.array`",
    "norm": "write `np.linalg.norm`",
    "empty": "write `np.zeros`",
    "sigmoid": "write `1 / (1 + np.exp(-x))`",
    "relu": "write `np.maximum(x, 0)`",
    "pow": "write `x ** y`",
    "dim": "write `axis=` for `dim=`",
    "keepdim": "write `keepdims=` for `keepdim=`",
    "out": "functions return a new array",
    "where": "write `np.where(d != 0, a / np.where(d != 0, d, 1.0), 0.0)`",
}
_OBS = "write `obs`: the observation after the step (`prev_obs`: before)"
ELSEWHERE = {  # parameters of other interfaces → what to ask for here
    **dict.fromkeys(SURROUNDINGS, "a program is a plain function; ask for each quantity by its name"),
    "info": "its numbers are observables: `info_<key>`",
    **dict.fromkeys(("next_obs", "observation", "observations", "state", "next_state"), _OBS),
    "done": "write `terminated`, 1 where the episode ended by itself",
    "truncated": "time limits aren't part of the task; `time_left` gives the seconds that are left",
    "actions": "write `action`",
    "reward": "the env's own reward can't be used",
}
