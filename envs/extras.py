"""What some domains need installed: this package's extras, and the packages they bring."""

from __future__ import annotations

from importlib.util import find_spec

PACKAGES = {"robotics": "gymnasium_robotics", "metaworld": "metaworld"}
"""Extra → the package that registers its envs when it is imported."""


def installed(extra: str) -> bool:
    """Whether the extra's envs can be made here; "" needs nothing."""
    return not extra or find_spec(PACKAGES[extra]) is not None
