"""What a program gave back, taken apart: terms by name as rows of floats, or the failure in words.

The child looks at names, shapes and types (`collect`, `number`), which exist only there. The parent looks at
the floats (`fault`), in its own copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from eureka_loop.errors import RewardFailure
from eureka_loop.records import Array
from eureka_loop.reward.contract import MAX_TERMS, TERM_LIMIT, TERM_NAME, is_diagnostic

_REAL = "fiub"  # dtype kinds that become float64 without loss of meaning: float, int, unsigned, bool


def collect(result: object, known: tuple[str, ...], rows: int, values: Array) -> tuple[str, ...]:
    """Copy a reward program's terms into `values` (MAX_TERMS, capacity), one a line; returns their names.

    Args:
        known: their names in the calls before; () in the first.

    Raises:
        RewardFailure: wrong_terms, wrong_shape or wrong_dtype.
    """
    terms = _terms(result)
    names = tuple(terms)
    if not known or names != known:
        check_names(names)
        if known:
            raise RewardFailure("wrong_terms", _changed(known, names))
    for line, (name, value) in enumerate(terms.items()):
        array = value if type(value) is np.ndarray else _as_array(f"Term {name!r}", value)
        if array.shape != (rows,):
            raise RewardFailure("wrong_shape", _shape_message(name, array.shape, rows))
        if array.dtype.kind not in _REAL:
            raise _wrong_dtype(f"Term {name!r}", array.dtype)
        values[line, :rows] = array
    return names


def number(result: object, kind: str, values: Array) -> None:
    """Copy a fitness or success program's number to `values[0, 0]`.

    Raises:
        RewardFailure: wrong_shape, wrong_dtype or not_finite.
    """
    array = _as_array(f"`{kind}`", result)
    if array.shape != ():
        raise RewardFailure(
            "wrong_shape",
            f"`{kind}` returned shape {array.shape}, expected one number for the whole episode: "
            "reduce it with `.mean()`, `.sum()`, `.max()` or `[-1]`",
        )
    if array.dtype.kind not in _REAL:
        raise _wrong_dtype(f"`{kind}`", array.dtype)
    if not np.isfinite(array):
        raise RewardFailure("not_finite", f"`{kind}` returned {array}, expected a finite number")
    values[0, 0] = array


def check_names(names: tuple[str, ...]) -> None:
    """Hold the names of a reward's terms to the contract.

    Raises:
        RewardFailure: wrong_terms.
    """
    for name in names:
        if type(name) is not str or not TERM_NAME.fullmatch(name):
            raise RewardFailure(
                "wrong_terms",
                f"Term {name!r}: a name has 1 to 64 letters, digits, `_`, `-`, `.`, `/`, the first no digit",
            )
    if "total" in names and not all(map(is_diagnostic, set(names) - {"total"})):
        raise RewardFailure("wrong_terms", "Drop the key 'total': the reward is the sum of the other terms")
    if not 0 < len(names) <= MAX_TERMS or len(set(names)) < len(names) or all(map(is_diagnostic, names)):
        raise RewardFailure(
            "wrong_terms",
            f"{len(names)} terms ({', '.join(names) or 'none'}): expected 1 to {MAX_TERMS}, "
            "at least one of them without a leading `_`, which is what the reward sums",
        )


def fault(names: Sequence[str], values: Array, first: int) -> tuple[RewardFailure, int] | None:
    """The first term that is not finite or too large, and its row in `values` (K, N); None where all is well.

    Args:
        values: C-contiguous.
        first: number of the first row in the caller's batch, for the message.
    """
    with np.errstate(all="ignore"):
        if _squares(values) <= TERM_LIMIT**2 or bool(np.all(np.abs(values) <= TERM_LIMIT)):  # NaN is neither
            return None
    for name, term in zip(names, values, strict=True):
        for kind, bad in (("not_finite", ~np.isfinite(term)), ("out_of_range", np.abs(term) > TERM_LIMIT)):
            if bad.any():
                return RewardFailure(kind, _fault_message(kind, name, term, bad, first)), int(bad.argmax())
    raise AssertionError("unreachable: some value failed the comparison above")


def inputs_at(parameters: Sequence[str], columns: Sequence[Array], row: int) -> str:
    """What the program saw in one row: "speed = 0.1, torso_up = [0, 0.1, 0.99]"."""
    return ", ".join(
        f"{name} = {_short(column[row])}" for name, column in zip(parameters, columns, strict=True)
    )


def _squares(values: Array) -> float:
    """Their sum, which bounds the greatest of them: one pass, and no temporary array."""
    flat = values.ravel()
    return float(flat.dot(flat))


def _terms(result: object) -> dict[str, object]:
    if type(result) is dict:
        return result
    if result is None:
        what = "None: end it with `return {...}`, a dict of terms"
    elif type(result) is tuple:
        what = "a tuple: return only the dict of terms, the reward is their sum"
    else:
        what = f"{type(result).__name__}, expected a dict of terms: `return {{'name': array}}`"
    raise RewardFailure("wrong_terms", f"`compute_reward` returned {what}")


def _changed(before: tuple[str, ...], after: tuple[str, ...]) -> str:
    was, now = ", ".join(before), ", ".join(after)
    return f"The terms were ({was}) and are now ({now}): always the same keys, in one order"


def _fault_message(kind: str, name: str, term: Array, bad: npt.NDArray[np.bool_], first: int) -> str:
    where = f"in {int(bad.sum())} of {len(term)} rows, first in row {first + int(bad.argmax())}"
    if kind == "not_finite":
        nan = int(np.isnan(term).sum())
        what = "NaN" if nan == bad.sum() else "infinite" if nan == 0 else "NaN or infinite"
        return f"Term {name!r} is {what} {where}"
    worst = float(np.abs(term[np.isfinite(term)]).max())
    return f"Term {name!r} exceeds ±{TERM_LIMIT:g} {where} (greatest size {worst:.3g}): scale or clip it"


def _shape_message(name: str, shape: tuple[int, ...], rows: int) -> str:
    shown = _with_n(shape, rows)
    return f"Term {name!r} has shape {shown}, expected (N,): {_shape_advice(shape, rows)}"


def _shape_advice(shape: tuple[int, ...], rows: int) -> str:
    if shape == ():
        return "add `axis=1` to the reduction, or for a constant write `value * np.ones_like(x)`"
    if shape[0] != rows:
        return f"it was reduced over the N = {rows} rows; reduce over `axis=1` instead"
    if shape[1:] == (1,):
        return "add `[:, 0]`"
    return "reduce it with `.sum(axis=1)`, or pick a column with `[:, 0]`"


def _with_n(shape: tuple[int, ...], rows: int) -> str:
    if not shape:
        return "()"
    inner = ["N" if shape[0] == rows else str(shape[0]), *map(str, shape[1:])]
    return f"({', '.join(inner)}{',' if len(inner) == 1 else ''})"


def _as_array(what: str, value: object) -> npt.NDArray[Any]:
    try:
        return np.asarray(value)
    except (ValueError, TypeError) as error:
        raise RewardFailure("wrong_dtype", f"{what} is no array of numbers: {error}") from error


def _wrong_dtype(what: str, dtype: np.dtype[Any]) -> RewardFailure:
    return RewardFailure("wrong_dtype", f"{what} has dtype {dtype}, expected float64: real numbers only")


def _short(value: Array) -> str:
    if value.ndim == 0:
        return f"{float(value):.6g}"
    flat = value.ravel()
    shown = ", ".join(f"{float(each):.6g}" for each in flat[:8])
    return f"[{shown}{', …' if len(flat) > 8 else ''}]"
