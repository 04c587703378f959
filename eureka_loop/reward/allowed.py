"""What a program may use, as data: everything that is not here is refused.

Numpy's array functions are listed one by one, each with how many positional arguments and which keywords it
takes. Left out on purpose: whatever reads or writes files, calls back into Python, makes objects other than
arrays of numbers, reads uninitialised memory (`empty`), writes into an argument (`out=`) or is random.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

ANY = 255  # as many positional arguments as a call can have


class Signature(NamedTuple):
    """How a function may be called: at most `positional` arguments without a name, and these keywords."""

    positional: int
    keywords: frozenset[str] = frozenset()


def _group(names: str, positional: int, keywords: str = "") -> dict[str, Signature]:
    return {name: Signature(positional, frozenset(keywords.split())) for name in names.split()}


def _names(*groups: Iterable[str]) -> frozenset[str]:
    return frozenset(name for group in groups for name in group)


ELEMENTWISE: dict[str, Signature] = {
    **_group(
        "abs absolute fabs negative positive sign exp exp2 expm1 log log2 log10 log1p sqrt cbrt square"
        " reciprocal sin cos tan sinh cosh tanh arcsin arccos arctan arcsinh arccosh arctanh"
        " asin acos atan asinh acosh atanh deg2rad rad2deg degrees radians floor ceil trunc rint sinc"
        " isfinite isnan isinf signbit logical_not copy",
        1,
    ),
    **_group(
        "add subtract multiply divide true_divide floor_divide power pow float_power mod remainder fmod"
        " maximum minimum fmax fmin arctan2 atan2 hypot copysign heaviside"
        " greater greater_equal less less_equal equal not_equal logical_and logical_or logical_xor"
        " bitwise_and bitwise_or bitwise_xor polyval",
        2,
    ),
    **_group("where", 3),
    **_group("clip", 3, "a_min a_max min max"),
    **_group("round around", 2, "decimals"),
    **_group("isclose", 2, "rtol atol"),
    **_group("nan_to_num", 1, "nan posinf neginf"),
    **_group("interp", 3, "left right"),
}

REDUCTIONS: dict[str, Signature] = {
    **_group(
        "sum mean prod max min amax amin any all median ptp argmax argmin count_nonzero", 2, "axis keepdims"
    ),
    **_group("nansum nanmean nanmax nanmin", 2, "axis keepdims"),
    **_group("std var", 2, "axis keepdims ddof"),
    **_group("average", 2, "axis weights"),
    **_group("percentile quantile", 3, "q axis keepdims"),
    **_group("linalg.norm", 3, "ord axis keepdims"),
    **_group(
        "maximum.reduce minimum.reduce logical_and.reduce logical_or.reduce add.reduce", 2, "axis keepdims"
    ),
}

ALONG_AXIS: dict[str, Signature] = {  # one result an element, made from its neighbours along an axis
    **_group("cumsum cumprod sort argsort flip", 2, "axis"),
    **_group("diff roll", 3, "axis n shift"),
    **_group("gradient", 2, "axis"),
}

JOINS: dict[str, Signature] = {
    **_group("stack concatenate", 2, "axis"),
    **_group("column_stack hstack vstack", 1),
}

RESHAPES: dict[str, Signature] = {
    **_group("reshape broadcast_to tile", 2),
    **_group("expand_dims squeeze", 2, "axis"),
    **_group("transpose", 2, "axes"),
    **_group("moveaxis swapaxes", 3),
    **_group("ravel atleast_1d atleast_2d", 1),
    **_group("repeat take take_along_axis", 3, "axis"),
}

PRODUCTS: dict[str, Signature] = {
    **_group("dot inner outer matmul", 2),
    **_group("cross", 2, "axis"),
    **_group("einsum", ANY),
    **_group("linalg.det linalg.inv", 1),
}

CREATION: dict[str, Signature] = {
    **_group("array asarray zeros ones zeros_like ones_like", 1, "dtype"),
    **_group("full full_like", 2, "fill_value dtype"),
    **_group("arange", 3, "dtype"),
    **_group("linspace", 3, "num endpoint"),
    **_group("eye identity diag", 1),
    **_group("select", 3, "default"),
}

NUMPY: dict[str, Signature] = {
    **ELEMENTWISE,
    **REDUCTIONS,
    **ALONG_AXIS,
    **JOINS,
    **RESHAPES,
    **PRODUCTS,
    **CREATION,
}
NUMPY_CONSTANTS = frozenset({"pi", "e", "inf", "nan", "newaxis"})
NUMPY_TYPES = frozenset({"float64", "float32", "int64", "int32", "bool_"})
NUMPY_NAMES = _names(NUMPY, NUMPY_CONSTANTS, NUMPY_TYPES)

MATH: dict[str, Signature] = {  # of one number; nothing that makes large integers (factorial, comb, prod)
    **_group(
        "sqrt exp log2 log10 log1p expm1 sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh"
        " fabs floor ceil trunc radians degrees isfinite isinf isnan erf",
        1,
    ),
    **_group("log pow atan2 fmod copysign", 2),
    **_group("isclose", 2, "rel_tol abs_tol"),
    **_group("hypot", ANY),
}
MATH_CONSTANTS = frozenset({"pi", "e", "tau", "inf", "nan"})
MATH_NAMES = _names(MATH, MATH_CONSTANTS)

BUILTINS: dict[str, Signature] = {
    **_group("abs len float int bool tuple list any all", 1),
    **_group("min max", ANY),
    **_group("zip", ANY, "strict"),
    **_group("sum", 2, "start"),
    **_group("enumerate", 2, "start"),
    **_group("round", 2),
    **_group("range", 3),
    "dict": Signature(1),  # and any keyword: they are its keys
}
TYPES = frozenset({"float", "int", "bool"})  # builtins that may also stand as a value: dtype=float

METHODS: dict[str, Signature] = {  # of arrays
    **_group("sum mean prod max min any all argmax argmin", 1, "axis keepdims"),
    **_group("std var", 1, "axis keepdims ddof"),
    **_group("cumsum cumprod argsort", 1, "axis"),
    **_group("clip", 2, "min max"),
    **_group("round", 1, "decimals"),
    **_group("astype", 1, "dtype"),
    **_group("squeeze", 1, "axis"),
    **_group("repeat", 2, "axis"),
    **_group("swapaxes", 2),
    **_group("reshape transpose", ANY),
    **_group("dot", 1),
    **_group("copy ravel flatten", 0),
}
CONTAINER_METHODS: dict[str, Signature] = {  # of the lists and dicts a program makes
    **_group("items keys values", 0),
    **_group("append extend update", 1),
    **_group("get", 2),
}
MAX_POWER = 64  # an exponent
ATTRIBUTES = frozenset({"shape", "ndim", "size", "dtype", "T"})

MODULES = {"np": "numpy", "numpy": "numpy", "math": "math"}  # names a program sees → what they stand for
# Written out of habit, understood and left out: the names are there without them.
IMPORTS = frozenset({("numpy", "np"), ("numpy", "numpy"), ("math", "math")})
IMPORTS_FROM = frozenset({"__future__", "typing", "collections.abc", "numpy.typing"})  # for annotations alone
