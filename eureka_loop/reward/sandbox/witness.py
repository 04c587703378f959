"""The witness: locked processes try what none of them may do, before any candidate runs."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping

from eureka_loop.errors import RewardFailure
from eureka_loop.reward.sandbox.conversation import Death
from eureka_loop.reward.sandbox.fork_server import ForkServer, order

_SECONDS = 5.0


def witness(fork_server: ForkServer) -> Mapping[str, bool]:
    """Attempt → whether it was refused; in a strict sandbox all are.

    Each attempt has a locked process of its own, under the very filter of programs, because a refusal may be
    death: it counts as refused if the call came back as forbidden, or the filter killed the process for it.

    Raises:
        SandboxError: no process can be started.
    """
    from eureka_loop.reward.sandbox.probes import PROBES  # not at the top: it needs a Unix to be imported

    return {name: _refused(fork_server, name) for name in PROBES}


def _refused(fork_server: ForkServer, name: str) -> bool:
    from eureka_loop.reward.sandbox.probes import is_refusal

    try:
        conversation = fork_server.open(order("probe", "", name, {}, 1, _SECONDS))
    except Death as death:
        return os.WIFSIGNALED(death.status) and os.WTERMSIG(death.status) == signal.SIGSYS
    except RewardFailure:  # it hangs: whatever it is doing, nothing refused it
        return False
    conversation.close()
    return is_refusal(name, conversation.ready)
