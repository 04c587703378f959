"""The designer that asks a person, a chat window or a coding agent: prompts and answers are files.

prompts/g0-00.md            a prompt, the same as a model's
prompts/g0-00.answer.md     its answer, as a chat window gives it; or g0-00.py, the program alone
prompts/g0-00.repair-1.md   the errors of a refused program; answered likewise
"""

from __future__ import annotations

import ast
import contextlib
import stat
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from eureka_loop import files
from eureka_loop.config import RunConfig
from eureka_loop.errors import Damaged, DesignerError, Refused
from eureka_loop.propose.designer import Request
from eureka_loop.propose.llm import prompts
from eureka_loop.propose.llm.extract import ENTRY, extract
from eureka_loop.records import Reply
from eureka_loop.reward.parsing import parse
from eureka_loop.store import Run

FOLDER = "prompts"  # in a run's folder
ANSWERS = (".answer.md", ".answer.txt", ".py")  # behind a prompt's name; of several the newest counts
SKIP = "skip"  # the answer that leaves a program out
POLL = 0.5  # s between two looks at the files
SETTLED = 2.0  # s without a change after which an answer counts as written: editors write in place
LEFT_OUT = "left out by its author"
PARENT, ANSWERED = "# The program to work from", "# Your answer"  # headings of programs in prompts


class ManualDesigner:
    """Writes each prompt to a file and waits for its answer; what is asked again after a resume is the same.

    An answer counts when its file has been the same for a while and holds a whole program. Until then, and
    after each change that doesn't, a "prompted" event says where it is expected, and what is wrong with it.
    """

    name = "manual"

    def __init__(self, run: Run) -> None:
        self._run = run
        self._first: dict[str, str] = {}  # text of a prompt → the first program that it asks for

    def propose(self, request: Request, sample: int) -> Reply:
        """The answer to a prompt, whenever it is there.

        Raises:
            DesignerError: the author leaves out the repair.
        """
        repair, id = request.repair, request.id(sample)
        if repair is not None and repair.source is None:
            raise DesignerError(repair.problems)  # it was left out
        name = f"{id}.repair-{repair.attempt}" if repair else id
        prompt, messages = self._run.folder / FOLDER / f"{name}.md", prompts.messages(request)
        text = conversation(messages[-2:] if repair else messages, ANSWERED if repair else PARENT)
        first = self._first.setdefault(text, id)
        files.write_text(prompt, f"{_head(name, alike=first if first != id else '')}\n\n{text}\n")
        reply = self._answer(id, prompt)
        if repair is not None and reply.source is None:
            raise DesignerError(reply.problem)
        exchange = {"messages": messages, **reply.exchange}
        return replace(reply, parents=request.lineage, operator=request.change, exchange=exchange)

    def _answer(self, id: str, prompt: Path) -> Reply:
        """Wait for an answer."""
        seen, since, new, said = _state(prompt), time.monotonic(), True, None
        while True:
            if new and (seen is None or time.monotonic() - since >= SETTLED):
                new, reply = False, Reply(None) if seen is None else read(seen[0])
                if reply.source is not None or reply.problem == LEFT_OUT:
                    return reply
                if reply.problem != said:
                    said, answer = reply.problem, seen[0] if seen else prompt.with_suffix(ANSWERS[0])
                    where = {"prompt": str(prompt), "answer": str(answer)}
                    self._run.event("prompted", candidate=id, **where, problem=said)
            time.sleep(POLL)
            if (state := _state(prompt)) != seen:
                seen, since, new = state, time.monotonic(), True


def create(config: RunConfig, run: Run | None) -> ManualDesigner:
    """The designer of a run; without one it can only be asked for its name."""
    return ManualDesigner(run or Run(config.out))


def conversation(messages: Sequence[prompts.Turn], heading: str) -> str:
    """The turns of a conversation as one text, a heading above the program."""
    return "\n\n".join(
        f"{heading}\n\n" * (each["role"] == "assistant") + each["content"] for each in messages
    )


def _head(name: str, alike: str) -> str:
    """How to answer a prompt, as a comment above it.

    Args:
        alike: another program that the same prompt asks for; "" for none.
    """
    same = f"\nThe prompt is that of {alike}; answer it with another program." if alike else ""
    return f"""<!--
Answer in {name}{ANSWERS[0]} beside this file, as a chat window gives it, or in
{name}{ANSWERS[-1]}, the program alone. The word "{SKIP}" in place of an answer leaves it out.{same}
What stands above "{PARENT}", if that is here, is the same in every prompt of the run.
-->"""


def read(path: Path) -> Reply:
    """The program in an answer; else why there is no whole one (yet), "" where the file is empty."""
    try:
        text = files.read_text(path).removeprefix("\ufeff")
    except Damaged as error:
        return Reply(None, problem=str(error))
    if text.strip(" .\n").lower() in ("", SKIP):
        return Reply(None, problem=LEFT_OUT if text.strip(" .\n") else "")
    reply = Reply(text) if path.suffix == ".py" else extract(text)
    if reply.source is None:
        return reply
    try:
        entries = [each for each in parse(reply.source).body if getattr(each, "name", "") == ENTRY]
    except Refused as refused:
        return Reply(None, problem=str(refused))
    if not any(isinstance(each, ast.Return) and each.value for entry in entries for each in ast.walk(entry)):
        return Reply(None, problem=f"it has no `def {ENTRY}(...)` with a `return`")
    return replace(reply, exchange={"reply": f"```python\n{text}```" if path.suffix == ".py" else text})


def _state(prompt: Path) -> tuple[Path, int, int] | None:
    """The newest answer's file with its size and time in ns; None where there is none."""
    found = []
    for path in map(prompt.with_suffix, ANSWERS):
        with contextlib.suppress(OSError):
            if stat.S_ISREG((entry := path.lstat()).st_mode):
                found.append((path, entry.st_size, entry.st_mtime_ns))
    return max(found, key=lambda each: each[2], default=None)
