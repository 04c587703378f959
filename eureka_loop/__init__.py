"""Reward design for reinforcement learning, automated.

In other programs: `from eureka_loop import RewardFunction, wrap, wrap_vec`; see docs/export.md.
"""

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Import the names offered to other programs on first use: the import takes seconds."""
    if name in ("RewardFunction", "wrap", "wrap_vec"):
        from eureka_loop.simulate import wrappers

        return getattr(wrappers, name)
    raise AttributeError(f"module 'eureka_loop' has no attribute {name!r}")
