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
from eureka_loop.errors import DesignerError, Refused
from eureka_loop.propose.designer import Request, candidate_id
from eureka_loop.propose.llm import prompts
from eureka_loop.propose.llm.extract import ENTRY, extract
from eureka_loop.records import Reply
from eureka_loop.reward.parsing import parse
from eureka_loop.store import Run

FOLDER = "prompts"  # in a run's folder
ANSWERS = (".answer.md", ".answer.txt", ".py")  # behind a prompt's name; the first that is there counts
SKIP = "skip"  # the answer that leaves a program out
POLL = 0.5  # s between two looks at the files
SETTLED = 2.0  # s without a change after which an answer counts as written: editors write in place
LARGEST = 1_000_000  # bytes of an answer
LEFT_OUT = "left out by its author"
BEST, ANSWERED = "# The best program so far", "# Your answer"  # headings of programs in prompts


class ManualDesigner:
    """Writes each prompt to a file and waits for its answer; what is asked again after a resume is the same.

    An answer counts when its file has been the same for a while and holds a whole program. Until then, and
    after each change that doesn't, a "prompted" event says where it is expected, and what is wrong with it.
    """

    name = "manual"

    def __init__(self, run: Run) -> None:
        self._run = run

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
        files.write_text(prompt, page(request, id, name, messages))
        reply = self._answer(id, prompt)
        if repair is not None and reply.source is None:
            raise DesignerError(reply.problem)
        parents = () if request.operator == "fresh" else tuple(each.candidate.id for each in request.parents)
        return replace(reply, parents=parents, exchange={"messages": messages, **reply.exchange})

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


def page(request: Request, id: str, name: str, messages: Sequence[prompts.Turn]) -> str:
    """A prompt as a file: where the answer goes, then the conversation; of a repair its two last turns."""
    number = request.generation
    head = [
        f"Answer in {name}{ANSWERS[0]} beside this file, as a chat window gives it, or in",
        f'{name}{ANSWERS[-1]}, the program alone. The word "{SKIP}" in place of an answer leaves it out.',
    ]
    if request.samples > 1 and not request.repair:
        alike = f"{candidate_id(number, 0)} to {candidate_id(number, request.samples - 1)}"
        head.append(f"The prompts {alike} are the same; answer each with another program.")
    if len(messages) > 2 and not request.repair:
        head.append(f'What comes before "{BEST}" is the same in every generation.')
    heading, turns = (ANSWERED, messages[-2:]) if request.repair else (BEST, messages)
    parts = [f"{heading}\n\n" * (each["role"] == "assistant") + each["content"] for each in turns]
    return "\n\n".join(["\n".join(["<!--", *head, "-->"]), *parts]) + "\n"


def read(path: Path) -> Reply:
    """The program in an answer; else why there is no whole one (yet), "" where the file is empty."""
    try:
        text = path.read_text(encoding="utf-8-sig") if path.stat().st_size <= LARGEST else None
    except (OSError, UnicodeDecodeError) as error:
        return Reply(
            None, problem=f"it can't be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}"
        )
    if text is None:
        return Reply(None, problem=f"it has more than {LARGEST:,} bytes")
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
    """The answer's file with its size and time; None where there is none."""
    for ending in ANSWERS:
        path = prompt.with_suffix(ending)
        with contextlib.suppress(OSError):
            if stat.S_ISREG((found := path.stat()).st_mode):
                return path, found.st_size, found.st_mtime_ns
    return None
