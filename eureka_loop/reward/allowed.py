"""The names and functions that a program may use, as data: everything else is refused.

Each function is listed with the keywords that it takes. Left out on purpose: whatever reads or writes files,
calls back into Python, makes objects other than arrays of numbers, reads uninitialised memory (`empty`),
writes into an argument (`out=`) or is random.
"""

from __future__ import annotations

Keywords = frozenset[str]


def _group(names: str, keywords: str = "") -> dict[str, Keywords]:
    return dict.fromkeys(names.split(), frozenset(keywords.split()))


ELEMENTWISE: dict[str, Keywords] = {
    **_group(
        "abs absolute fabs negative positive sign exp exp2 expm1 log log2 log10 log1p sqrt cbrt square"
        " reciprocal sin cos tan sinh cosh tanh arcsin arccos arctan arcsinh arccosh arctanh"
        " asin acos atan asinh acosh atanh deg2rad rad2deg degrees radians floor ceil trunc rint sinc"
        " isfinite isnan isinf signbit copy where"
        " add subtract multiply divide true_divide floor_divide power pow float_power mod remainder fmod"
        " maximum minimum fmax fmin arctan2 atan2 hypot copysign heaviside polyval"
        " greater greater_equal less less_equal equal not_equal logical_and logical_or logical_xor"
        " logical_not bitwise_and bitwise_or bitwise_xor"
    ),
    **_group("clip", "a_min a_max min max"),
    **_group("round around", "decimals"),
    **_group("isclose", "rtol atol"),
    **_group("nan_to_num", "nan posinf neginf"),
    **_group("interp", "left right"),
}
REDUCTIONS: dict[str, Keywords] = {
    **_group(
        "sum mean prod max min amax amin any all median ptp argmax argmin count_nonzero", "axis keepdims"
    ),
    **_group("nansum nanmean nanmax nanmin", "axis keepdims"),
    **_group("std var", "axis keepdims ddof"),
    **_group("average", "axis weights"),
    **_group("percentile quantile", "q axis keepdims"),
    **_group("linalg.norm", "ord axis keepdims"),
    **_group(
        "maximum.reduce minimum.reduce logical_and.reduce logical_or.reduce add.reduce", "axis keepdims"
    ),
}
ALONG_AXIS: dict[str, Keywords] = {  # one result an element, made from its neighbours along an axis
    **_group("cumsum cumprod sort argsort flip gradient", "axis"),
    **_group("diff roll", "axis n shift"),
}
CREATION: dict[str, Keywords] = {
    **_group("array asarray zeros ones zeros_like ones_like arange", "dtype"),
    **_group("full full_like", "fill_value dtype"),
    **_group("linspace", "num endpoint"),
    **_group("eye identity diag"),
    **_group("select", "default"),
}
NUMPY: dict[str, Keywords] = {
    **ELEMENTWISE,
    **REDUCTIONS,
    **ALONG_AXIS,
    **CREATION,
    **_group("stack concatenate expand_dims squeeze repeat take take_along_axis cross", "axis"),
    **_group(
        "column_stack hstack vstack reshape broadcast_to tile moveaxis swapaxes ravel atleast_1d atleast_2d"
    ),
    **_group("transpose", "axes"),
    **_group("dot inner outer matmul einsum linalg.det linalg.inv"),
}
NUMPY_VALUES = frozenset("pi e inf nan newaxis float64 float32 int64 int32 bool_".split())

MATH: dict[str, Keywords] = {  # of one number; nothing that makes large integers (factorial, comb, prod)
    **_group(
        "sqrt exp log log2 log10 log1p expm1 sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh"
        " fabs floor ceil trunc radians degrees isfinite isinf isnan erf pow atan2 fmod copysign hypot"
    ),
    **_group("isclose", "rel_tol abs_tol"),
}
MATH_VALUES = frozenset("pi e tau inf nan".split())

BUILTINS: dict[str, Keywords] = {
    **_group("abs len float int bool tuple list any all min max round range"),
    **_group("zip", "strict"),
    **_group("sum enumerate", "start"),
    **_group("dict"),  # and any keyword: they are its keys
}
TYPES = frozenset({"float", "int", "bool"})  # builtins that may also stand as a value: dtype=float

METHODS: dict[str, Keywords] = {  # of arrays
    **_group("sum mean prod max min any all argmax argmin", "axis keepdims"),
    **_group("std var", "axis keepdims ddof"),
    **_group("cumsum cumprod argsort squeeze repeat", "axis"),
    **_group("clip", "min max"),
    **_group("round", "decimals"),
    **_group("astype", "dtype"),
    **_group("swapaxes reshape transpose dot copy ravel flatten"),
}
CONTAINER_METHODS = _group("items keys values append extend update get")  # of a program's lists and dicts
ATTRIBUTES = frozenset({"shape", "ndim", "size", "dtype", "T"})

MODULES = {"np": "numpy", "numpy": "numpy", "math": "math"}  # names a program sees → what they stand for
FUNCTIONS = {"numpy": NUMPY, "math": MATH}
VALUES = {"numpy": NUMPY_VALUES, "math": MATH_VALUES}
# Written out of habit and ignored: the names are there without them.
IMPORTS = frozenset({("numpy", "np"), ("numpy", "numpy"), ("math", "math")})
IMPORTS_FROM = frozenset({"__future__", "typing", "collections.abc", "numpy.typing"})  # for annotations alone
