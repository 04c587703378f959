"""The C library, for the system calls that Python has no function for."""

from __future__ import annotations

import ctypes
import os
import sys

# Windows locks nothing up, but must be able to import this to say so.
LIBC = ctypes.CDLL("msvcrt" if sys.platform == "win32" else None, use_errno=True)


def checked(result: int) -> int:
    """What a call returned.

    Raises:
        OSError: it was negative: the call failed.
    """
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
