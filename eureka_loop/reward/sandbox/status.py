"""The sandbox's status on this machine: layers that hold, a self-test, and whether a run may start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from typing_extensions import TypedDict  # pydantic reads no other one on Python 3.11

from eureka_loop.errors import RewardFailure, SandboxError
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.lock import ALL_LAYERS, Layer, Tier, landlock_abi, layer_names, tier
from eureka_loop.reward.sandbox.probes import PROBES, REFUSALS

OVERRIDE = "--allow-reduced-sandbox"


class SandboxRecord(TypedDict):
    """A table of run.toml."""

    tier: str
    layers: list[str]
    landlock_abi: int
    self_test_tried: int
    self_test_refused: int
    not_refused: list[str]


@dataclass(frozen=True, slots=True)
class SandboxStatus:
    """Layers, and results of the self-test.

    Attributes:
        held: the layers that really hold.
        landlock_abi: 0 where the kernel has no Landlock.
        refused: attempt of the self-test → whether it was refused.
    """

    held: Layer
    landlock_abi: int
    refused: Mapping[str, bool]

    @property
    def tier(self) -> Tier:
        return tier(self.held)

    @property
    def not_refused(self) -> list[str]:
        """Attempts that worked in a locked process."""
        return [name for name, refused in self.refused.items() if not refused]

    @property
    def strict(self) -> bool:
        """The tier is strict, and the self-test confirms it."""
        return self.tier == "strict" and not self.not_refused

    def as_table(self) -> SandboxRecord:
        """The record in run.toml."""
        return {
            "tier": self.tier,
            "layers": layer_names(self.held),
            "landlock_abi": self.landlock_abi,
            "self_test_tried": len(self.refused),
            "self_test_refused": sum(self.refused.values()),
            "not_refused": self.not_refused,
        }


def measure(fork_server: ForkServer) -> SandboxStatus:
    """The status, by a locked process for each attempt of the self-test: a refusal may be its death.

    Raises:
        SandboxError: no process can be started.
    """
    refused = {name: _refused(fork_server, name) for name in PROBES}
    return SandboxStatus(fork_server.held, landlock_abi(), refused)


def _refused(fork_server: ForkServer, name: str) -> bool:
    """Whether the call came back as forbidden, or the filter killed the process."""
    try:
        return fork_server.probe(name) in REFUSALS
    except RewardFailure as failure:
        return "(SIGSYS)" in str(failure)


def required(fork_server: ForkServer, *, reduced: bool) -> SandboxStatus:
    """The status, where it is enough for a run.

    Args:
        reduced: accept tiers below strict.

    Raises:
        SandboxError: the tier is lower; with the reason and the flag that overrides it.
    """
    status = measure(fork_server)
    if status.strict or reduced:
        return status
    missing = layer_names(ALL_LAYERS & ~Layer.IDENTITY & ~status.held)
    reasons = [f"this machine has no {' and no '.join(missing)}"] if missing else []
    if status.not_refused:
        reasons.append(f"a locked process could {', '.join(status.not_refused)}")
    raise SandboxError(
        f"the sandbox is {status.tier!r} here, not 'strict' ({'; '.join(reasons)}). "
        f"`eureka doctor` shows a remedy; {OVERRIDE} runs generated code all the same"
    )
