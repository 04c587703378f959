"""A program that the user trusts, run in this process: no lock, no deadline, only the gate's check."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np

from eureka_loop.errors import RewardFailure
from eureka_loop.reward.contract import ENTRY_POINTS, MAX_TERMS, Program
from eureka_loop.reward.functions import namespace
from eureka_loop.reward.parsing import compiled
from eureka_loop.reward.sandbox.answer import collect, explain, find_fault
from eureka_loop.reward.sandbox.process import Columns, Terms


class UnlockedProgram:
    """Evaluates a reward program as `RewardProcess` does.

    Raises:
        RewardFailure: the program doesn't load.
    """

    def __init__(self, program: Program) -> None:
        self._program, self._names = program, cast("tuple[str, ...]", ())
        scope = namespace()
        try:
            exec(compiled(program.source), scope)
        except Exception as error:
            raise explain(error, program.source) from error
        self._function = cast("Callable[..., object]", scope[ENTRY_POINTS[program.kind]])

    def evaluate(self, columns: Columns) -> Terms:
        """The terms of every row; see `RewardProcess.evaluate`."""
        inputs = [np.asarray(columns[name], np.float64).view() for name in self._program.parameters]
        for column in inputs:
            column.flags.writeable = False
        rows = len(inputs[0])
        values = np.empty((MAX_TERMS, rows))
        try:
            with np.errstate(all="ignore"):
                self._names = collect(self._function(*inputs), self._names, (rows,), values)
        except RewardFailure:
            raise
        except Exception as error:
            raise explain(error, self._program.source, rows) from error
        values = values[: len(self._names)]
        if failure := find_fault(self._names, values, self._program.parameters, inputs):
            raise failure
        return Terms(self._names, values)

    def close(self) -> None:
        """Nothing to end."""
