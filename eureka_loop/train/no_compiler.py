"""torch without its compiler, which nothing here uses.

The first optimizer that a process makes imports torch._dynamo, only to tell it to leave a few methods alone
(`torch._compile._disable_dynamo`). That takes as long as a third of a worker's start.
"""

from __future__ import annotations

from torch.optim import Optimizer

MARK = "__dynamo_disable"  # where torch keeps the method as the compiler would leave it


def spare_import() -> None:
    """Say beforehand that these methods stay as they are; where torch does it otherwise, nothing changes."""
    for method in vars(Optimizer).values():
        plain = getattr(method, "__wrapped__", None)
        if plain is not None and getattr(plain, MARK, None) is None:
            setattr(plain, MARK, plain)
