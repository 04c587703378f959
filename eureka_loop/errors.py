"""Everything eureka-loop raises on purpose.

    EurekaError
    ├── BadInput             the user's input: the value, what was allowed, what to do next
    │   ├── UnknownName      a name that doesn't exist, with the nearest ones that do
    │   └── MissingExtra     something optional is not installed
    ├── Refused              the gate refuses a program; every problem at once
    ├── RewardFailure        a program that passed the gate failed while it ran
    ├── SandboxError         the machine can't run locked processes, or they died with their parent
    ├── DesignerError        no reward can be written just now
    │   ├── EndpointError    the model's endpoint refuses what was requested, or fails
    │   │   ├── NoAnswer     a call without a usable answer; another attempt may succeed
    │   │   └── Unavailable  it can't be reached, refuses the key, or wants to be paid
    │   ├── BudgetSpent      the next call would pass a limit the user set; everything so far is kept
    │   └── AnswersAwaited   a person's answers are lacking, and the command doesn't wait for them
    └── RunError             a run folder that can't be used: taken, not writable, full disk
        └── Damaged          a file of it is missing, or isn't what it should be

A candidate's failure is not an exception for the loop but a value: `results.Failed`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

LIKE = 0.5  # from this ratio on (`difflib`) a name is taken for another one, misspelt
_SHOWN = 80  # characters of a wrong name


class EurekaError(Exception):
    """Base of all; its text is fit to be shown to a person as it is."""


class BadInput(EurekaError): ...


class UnknownName(BadInput):
    """A name that doesn't exist.

    Args:
        kind: what it should have been ("task", "observable").
        name: what was written.
        known: every valid name; the nearest three are shown.
        hint: what to do next ("`eureka tasks` lists them").
        facts: per valid name, what to show behind it ("(N, 3) m/s").
    """

    def __init__(
        self,
        kind: str,
        name: str,
        known: Iterable[str],
        hint: str = "",
        facts: Mapping[str, str] | None = None,
    ) -> None:
        nearest = difflib.get_close_matches(name, list(known), n=3, cutoff=LIKE)
        shown = " or ".join(f"{near!r} {(facts or {}).get(near, '')}".rstrip() for near in nearest)
        unknown = name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…"
        advice = f"; did you mean {shown}? {hint}" if nearest else f"; {hint}"
        super().__init__(f"unknown {kind} {unknown!r}{advice}".rstrip("; "))


class MissingExtra(BadInput):
    """`what` ("env 'FetchReach-v4'") needs an extra of this package."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an optional package: pip install 'eureka-loop[{extra}]'")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a program: where, what, and what to write instead."""

    line: int
    message: str

    def __str__(self) -> str:
        return f"Line {self.line}: {self.message}"


class Refused(EurekaError):
    """`problems` holds all that is wrong, in order of lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class RewardFailure(EurekaError):
    """
    Attributes:
        kind: one of `results.FailureKind`.
        detail: more lines (a traceback's last ones), already cleaned of control characters.
    """

    def __init__(self, kind: str, message: str, detail: str = "") -> None:
        self.kind, self.detail = kind, detail
        super().__init__(message)


class SandboxError(EurekaError):
    """Never a program's fault."""


class DesignerError(EurekaError):
    """
    Attributes:
        lasting: every further request would fail alike until somebody acts, so the run stops, resumable.
    """

    lasting = False


class EndpointError(DesignerError): ...


class NoAnswer(EndpointError):
    """
    Attributes:
        served: the endpoint may have served the call, and may charge for it.
        lasting: where no attempt succeeds, no other call will.
        wait: seconds that the endpoint asks to wait; 0 where it doesn't ask.
    """

    def __init__(
        self, message: str, *, served: bool = True, lasting: bool = False, wait: float = 0.0
    ) -> None:
        self.served, self.lasting, self.wait = served, lasting, wait
        super().__init__(message)


class Unavailable(EndpointError):
    lasting = True


class BudgetSpent(DesignerError):
    lasting = True


class AnswersAwaited(DesignerError):
    lasting = True


class RunError(EurekaError): ...


class Damaged(RunError): ...
