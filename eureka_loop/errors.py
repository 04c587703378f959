"""Everything eureka-loop raises on purpose.

    EurekaError
    ├── BadInput             the user's input: the value, what was allowed, what to do next
    │   ├── UnknownName      a name that doesn't exist, with the nearest ones that do
    │   └── MissingExtra     something optional is not installed
    ├── Refused              the gate refuses a program; every problem at once
    ├── RewardFailure        a program that passed the gate failed while it ran
    ├── SandboxError         the machine can't run locked processes, or they died with their parent
    ├── DesignerError        nobody can write rewards just now
    │   ├── EndpointError    the model's endpoint says no, or fails
    │   │   ├── NoAnswer     a call without a usable answer; another attempt may succeed
    │   │   └── Unavailable  it will say no to everything: nobody there, a refused key, no credit
    │   └── BudgetSpent      the next call would pass the money, token or time limit
    └── RunError             a run folder that can't be used: taken, damaged, full disk

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


class BadInput(EurekaError):
    """Input of the user that can't be used; the message says what can."""


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
        self.kind, self.name = kind, name
        self.nearest = tuple(difflib.get_close_matches(name, list(known), n=3, cutoff=LIKE))
        message = f"unknown {kind} {name if len(name) <= _SHOWN else f'{name[:_SHOWN]}…'!r}"
        if self.nearest:
            shown = [f"{near!r} {(facts or {}).get(near, '')}".rstrip() for near in self.nearest]
            message += "; did you mean " + " or ".join(shown) + "?"
        super().__init__(f"{message} {hint}".rstrip() if self.nearest else f"{message}; {hint}".rstrip("; "))


class MissingExtra(BadInput):
    """An optional part is not installed.

    Args:
        what: what was wanted ("env 'FetchReach-v4'").
        extra: the extra of this package that brings it.
    """

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
    """The gate refuses a program. `problems` holds all that is wrong, in order of lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class RewardFailure(EurekaError):
    """A program failed while it ran.

    Attributes:
        kind: one of `records.FailureKind`.
        detail: more lines (a traceback's last ones), already cleaned of control characters.
    """

    def __init__(self, kind: str, message: str, detail: str = "") -> None:
        self.kind, self.detail = kind, detail
        super().__init__(message)


class SandboxError(EurekaError):
    """Locked processes can't be started here, or their fork server is gone: never a program's fault."""


class DesignerError(EurekaError):
    """Nobody can write rewards just now.

    Attributes:
        lasting: every further request would fail alike until somebody acts, so the run stops, resumable.
    """

    lasting = False


class EndpointError(DesignerError):
    """The model's endpoint refuses what was asked, or fails."""


class NoAnswer(EndpointError):
    """A call without a usable answer; another attempt may succeed.

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
    """The endpoint can't be reached, refuses the key, or wants to be paid."""

    lasting = True


class BudgetSpent(DesignerError):
    """The next call would pass a limit the user set; everything so far is kept."""

    lasting = True


class RunError(EurekaError):
    """A run folder can't be used: in use by another process, damaged, not writable, disk full."""
