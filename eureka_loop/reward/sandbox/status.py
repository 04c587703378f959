"""What the sandbox is worth on this machine, tried before a run's first candidate; and if that will do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from eureka_loop.errors import SandboxError
from eureka_loop.reward.sandbox import landlock
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.layers import ALL_LAYERS, Layer, Tier, names, tier
from eureka_loop.reward.sandbox.witness import witness

OVERRIDE = "--allow-reduced-sandbox"

_BEYOND_REACH: dict[Tier, str] = {
    "strict": "",
    "no-landlock": "files and network have one lock instead of two",
    "reduced": "generated code could reach files, the network and other processes",
    "none": "nothing certain holds generated code",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """The tier, and what the witness saw.

    Attributes:
        held: the layers that really took hold.
        abi: the kernel's Landlock ABI; 0 where there is none.
        witness: attempt → whether it was refused.
    """

    held: Layer
    abi: int
    witness: Mapping[str, bool]

    @property
    def tier(self) -> Tier:
        return tier(self.held)

    @property
    def through(self) -> tuple[str, ...]:
        """The attempts that nothing refused."""
        return tuple(name for name, refused in self.witness.items() if not refused)

    @property
    def strict(self) -> bool:
        """The tier is strict, and the witness agrees."""
        return self.tier == "strict" and not self.through

    def as_table(self) -> dict[str, object]:
        """As run.toml keeps it."""
        return {
            "tier": self.tier,
            "layers": names(self.held),
            "landlock_abi": self.abi,
            "witness_tried": len(self.witness),
            "witness_refused": sum(self.witness.values()),
            "not_refused": list(self.through),
        }


def measure(fork_server: ForkServer) -> Standing:
    """Try it, in some 30 locked processes.

    Raises:
        SandboxError: no process can be started.
    """
    return Standing(fork_server.held, landlock.abi(), witness(fork_server))


def required(fork_server: ForkServer, *, reduced: bool) -> Standing:
    """What the sandbox is worth, where that is enough for a run.

    Raises:
        SandboxError: it isn't (see `require`).
    """
    standing = measure(fork_server)
    require(standing, reduced=reduced)
    return standing


def require(standing: Standing, *, reduced: bool) -> None:
    """Hold a run to the strict tier.

    Args:
        reduced: the user takes what there is.

    Raises:
        SandboxError: there is less; with the reason and the flag that overrides it.
    """
    if standing.strict or reduced:
        return
    missing = names(ALL_LAYERS & ~Layer.IDENTITY & ~standing.held)
    reasons = [f"this machine has no {' and no '.join(missing)}"] if missing else []
    if standing.through:
        reasons.append(f"a locked process could {', '.join(standing.through)}")
    beyond = f": {_BEYOND_REACH[standing.tier]}" if standing.tier != "strict" else ""
    raise SandboxError(
        f"the sandbox is {standing.tier!r} here, not 'strict'{beyond} ({'; '.join(reasons)}). "
        f"`eureka doctor` says what to do about it; {OVERRIDE} runs generated code all the same"
    )
