"""What a reward process is locked with, and what that is worth as a tier."""

from __future__ import annotations

import enum
from typing import Literal

Tier = Literal["strict", "no-landlock", "reduced", "none"]


class Layer(enum.IntFlag):
    """One layer of the lock. A session of its own, closed descriptors, no environment come with any."""

    LIMITS = 1  # rlimits: address space, files, processes, core dumps
    PRIVILEGES = 2  # no_new_privs, no capabilities, not dumpable, dies with its parent
    IDENTITY = 4  # an unprivileged user and group where it was root
    LANDLOCK = 8  # files, TCP, signals, abstract sockets, as far as the kernel's ABI goes
    SECCOMP = 16  # the system calls that arithmetic needs, no others


ALL_LAYERS = Layer.LIMITS | Layer.PRIVILEGES | Layer.IDENTITY | Layer.LANDLOCK | Layer.SECCOMP

_BASE = Layer.LIMITS | Layer.PRIVILEGES | Layer.SECCOMP


def tier(held: Layer) -> Tier:
    """The tier of a process in which these layers really took hold."""
    if held & _BASE == _BASE:
        return "strict" if held & Layer.LANDLOCK else "no-landlock"
    return "reduced" if held & Layer.LIMITS else "none"


def names(layers: Layer) -> list[str]:
    """Their names as reports show them: ["limits", "privileges", ...]."""
    return [(each.name or "").lower() for each in Layer if each in layers]
