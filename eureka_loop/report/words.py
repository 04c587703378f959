"""What the reports call things."""

from __future__ import annotations

from collections.abc import Mapping

from eureka_loop.report import text
from eureka_loop.results import SKIPPED, FailureKind

LABELS = {"human": "hand-written", "sparse": "sparse", "native": "the env's own"}

FAILURES: dict[FailureKind, str] = {
    "no_code": "no program",
    "refused": "refused by the gate",
    "exception": "raised an exception",
    "timed_out": "took too long",
    "out_of_memory": "out of memory",
    "killed": "its process died",
    "not_finite": "NaN or infinite",
    "out_of_range": "value out of range",
    "wrong_shape": "wrong shape",
    "wrong_dtype": "wrong dtype",
    "wrong_terms": "wrong terms",
    "mutated_input": "changed its input",
    "not_deterministic": "not deterministic",
    "rows_not_independent": "rows not independent",
    "diverged": "training diverged",
    "crashed": "worker crashed",
    "ranks_backwards": "pays for doing worse",
}


def failure(kind: str) -> str:
    """A failure's kind in words; an unknown one as it is."""
    known: Mapping[str, str] = {str(name): said for name, said in FAILURES.items()}
    return known.get(kind, text.one_line(kind.replace("_", " "), 40))


def outcome(kind: str) -> str:
    """ "failed: raised an exception"; "skipped: ..." where nothing broke."""
    return f"{'skipped' if kind in SKIPPED else 'failed'}: {failure(kind)}"


def generation(number: int, of: int = 0) -> str:
    """ "generation 3 of 4 (g2)": people count from one, ids from zero."""
    return f"generation {number + 1}{f' of {of}' if of else ''} (g{number})"


def label(id: str) -> str:
    """A reference's name in words; any other id as it is."""
    return LABELS.get(id, id)
