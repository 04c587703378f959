"""Commands → calls. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import importlib
import signal
import sys
from typing import NoReturn

from eureka_loop.errors import BadInput, Damaged, EurekaError, SandboxError, UnknownName

USAGE = """\
usage: eureka COMMAND [OPTIONS]

Reward design for reinforcement learning, automated.

describe
  run TASK_OR_TEXT    write rewards, train with them, improve them
  resume RUN          go on where a run stopped
  propose TASK_OR_RUN have prompts written for you, or for a coding agent, to answer in files; go on from them
  train REWARD.py     train one reward program of your own
  tune REWARD.py      search for better weights of one: other numbers, the same code
  fitness TRY         score a fitness, an expression or FILE.py, on recorded episodes; nothing is trained
  tasks [NAME]        the catalogue, or one task: text, vocabulary, fitness, hand-written reward
  look --env ID       the vocabulary of any environment: every name that a reward may use
inspect
  inspect RUN [ID]    ranking, lineage, failures, cost; or one candidate's code, terms and feedback
  watch RUN [ID]      a trained policy in a window, or as a film and a sheet of moments
  robustness RUN [ID] its policies where mass, friction, latency, noise or the start differ
  lessons [N]         differences that runs have measured, for later prompts; note on one, or forget it
compare
  compare RUN         the winner against the hand-written reward or any other: better, worse, as good?
  compare A.py B.py   reward files against each other
  bench SUITE         several searches of every task of a suite, beside the hand-written rewards: one table
take home
  export RUN [ID]     a reward and its measures as a Python file with numpy and mujoco alone; or a policy
this machine
  doctor              sandbox, devices, disk, model, rendering, packages; what is lacking, and what to do

`eureka COMMAND --help` says more.
"""

# else named as the command
MODULES = {
    "resume": "run",
    "propose": "run",
    "train": "run",
    "tune": "run",
    "tasks": "look",
    "look": "look",
    "inspect": "look",
    "watch": "look",
    "robustness": "look",
    "lessons": "look",
}
COMMANDS = tuple(
    "run resume propose train tune fitness tasks look inspect lessons watch robustness compare bench export"
    " doctor".split()
)


def main(arguments: list[str] | None = None) -> None:
    """The program `eureka`; docs/describe.md lists its exit statuses."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    given = sys.argv[1:] if arguments is None else arguments
    try:
        sys.exit(_dispatch(given))
    except KeyboardInterrupt:
        sys.exit(130)
    except EurekaError as error:
        _end(str(error), 2 if isinstance(error, BadInput | Damaged) else 1)
    except BrokenPipeError:  # `eureka run ... | head`: quiet, as other programs
        sys.stderr.close()
        sys.exit(141)
    except OSError as error:  # a screen that is a file on a full disk, a folder that went while it was read
        _end(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}", 1)


def _end(message: str, status: int) -> NoReturn:
    from eureka_loop.text import clean  # an endpoint, a model or a file may have written part of it

    print(f"eureka: {clean(message)}", file=sys.stderr)
    sys.exit(status)


def _dispatch(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(USAGE, end="")
        return 0 if arguments else 2
    if arguments[0] == "--version":
        from eureka_loop import __version__

        print(f"eureka-loop {__version__}")
        return 0
    name = arguments[0]
    if name not in COMMANDS:
        raise UnknownName("command", name, COMMANDS, hint="`eureka --help` lists them")
    if sys.platform == "win32":  # checked here: most other modules can't be imported there
        raise SandboxError("generated code can't be locked up on Windows; install WSL2 and run eureka in it")
    module = importlib.import_module(f"eureka_loop.cli.{MODULES.get(name, name)}")
    return int(getattr(module, name)(arguments[1:]))


if __name__ == "__main__":
    main()
