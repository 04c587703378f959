"""Prompts and answers as files: what a prompt says, which answers count, and when."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from eureka_loop import files
from eureka_loop.config import RunConfig
from eureka_loop.errors import DesignerError
from eureka_loop.propose import manual
from eureka_loop.propose.designer import SAMPLES_BY_HAND, Repair, Request, settle
from eureka_loop.propose.llm import prompts
from eureka_loop.propose.manual import LEFT_OUT, ManualDesigner, read
from eureka_loop.records import Reply
from eureka_loop.store import Run
from tests.end_to_end.program import wait_for

PROGRAM = "def compute_reward(forward_velocity):\n    return {'speed': forward_velocity}\n"
CHAT = f"A plan: run.\n\n```python\n{PROGRAM}```\n\nGood luck!\n"
PROMPTS = [f"g0-0{sample}.md" for sample in range(3)]
NO_PROGRAM = "it has no `def compute_reward(...)` with a `return`"


@pytest.mark.parametrize(
    ("name", "content", "source", "problem"),
    [
        ("a.py", PROGRAM, PROGRAM, ""),
        ("a.answer.md", CHAT, PROGRAM, ""),
        ("a.answer.md", CHAT.replace("\n", "\r\n"), PROGRAM, ""),
        ("a.answer.md", "\ufeff" + CHAT, PROGRAM, ""),
        ("a.answer.txt", PROGRAM, PROGRAM, ""),
        ("a.answer.md", CHAT[: CHAT.index("```\n\nGood")], PROGRAM, ""),
        ("a.answer.md", "", None, ""),
        ("a.py", "\n  \n", None, ""),
        ("a.answer.md", "skip\n", None, LEFT_OUT),
        ("a.py", "Skip.", None, LEFT_OUT),
        ("a.answer.md", "I skip this one", None, "the reply holds no code: I skip this one"),
        ("a.answer.md", CHAT[: CHAT.index("{'speed")], None, NO_PROGRAM),
        ("a.answer.md", CHAT[: CHAT.index("'speed'")], None, "the reply ends in the middle of the program"),
        ("a.answer.md", CHAT.replace("velocity):", "velocity)"), None, "Line 1: "),
        ("a.answer.md", CHAT.replace("compute_reward", "reward"), None, NO_PROGRAM),
        ("a.py", PROGRAM[: PROGRAM.index("return")] + "speed = 1.0\n", None, NO_PROGRAM),
        ("a.py", "SPEED = 3.0  # m/s\n", None, NO_PROGRAM),
        ("a.py", "def compute_reward(forward_velocity", None, "Line 1: "),
        ("a.py", PROGRAM + "#" * files.MOST_BYTES[".py"], None, "can't read "),
    ],
)
def test_what_a_file_answers(
    name: str, content: str, source: str | None, problem: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8", newline="")
    reply = read(path)
    assert reply.source == source
    assert reply.problem.startswith(problem)
    assert bool(reply.problem) == bool(problem)


def test_an_answer_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(PROGRAM.encode("utf-16"))
    (tmp_path / "link.py").symlink_to("whole.py")
    (tmp_path / "whole.py").write_text(PROGRAM)
    os.mkfifo(tmp_path / "pipe.py")
    for name, why in (
        ("a", "it is not text"),
        ("b", "No such file or directory"),
        ("link", "it is a link"),
        ("pipe", "it is no ordinary file"),
    ):
        path = tmp_path / f"{name}.py"
        assert read(path).problem == f"can't read {path}: {why}"


class Author:
    """A designer in a thread, the files, and what it has said."""

    def __init__(self, folder: Path) -> None:
        self.run = Run(folder)
        folder.mkdir()
        self.folder = folder / "prompts"
        self.replies: list[Reply | DesignerError] = []

        self.designer = ManualDesigner(self.run)

    def ask(self, request: Request, sample: int = 0) -> None:
        def work() -> None:
            try:
                self.replies.append(self.designer.propose(request, sample))
            except DesignerError as error:
                self.replies.append(error)

        threading.Thread(target=work, daemon=True).start()

    def said(self) -> list[str]:
        return [event["problem"] for event in self.run.events() if event["event"] == "prompted"]


@pytest.fixture
def author(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Author:
    monkeypatch.setattr(manual, "POLL", 0.01)
    monkeypatch.setattr(manual, "SETTLED", 0.3)
    return Author(tmp_path / "run")


def test_a_prompt_is_that_of_a_model_and_says_where_its_answer_goes(
    ask: Callable[..., Request], author: Author
) -> None:
    request = ask(samples=3)
    author.ask(request, 1)
    wait_for(author.said, 20)
    text = (author.folder / "g0-01.md").read_text()
    head, _, body = text.partition("-->\n\n")
    assert "Answer in g0-01.answer.md beside this file" in head
    assert "g0-01.py, the program alone" in head
    assert "The prompt is that of" not in head
    messages = prompts.messages(request)
    assert body == "\n\n".join(each["content"] for each in messages) + "\n"
    (author.folder / "g0-01.answer.md").write_text(CHAT)
    wait_for(lambda: author.replies, 20)
    (reply,) = author.replies
    assert reply == Reply(PROGRAM, exchange={"messages": messages, "reply": CHAT}, operator="fresh")
    author.ask(request, 0)
    author.ask(ask(samples=3, instructions="Be brief."), 2)
    wait_for(lambda: len(author.said()) == 3, 20)
    alike = {id: "\nThe prompt is that of g0-01;" in (author.folder / id).read_text() for id in PROMPTS}
    assert alike == {"g0-00.md": True, "g0-01.md": False, "g0-02.md": False}


def test_of_several_answers_the_newest_counts(ask: Callable[..., Request], author: Author) -> None:
    author.folder.mkdir()
    for name, age in (("g0-00.answer.md", 30), ("g0-00.py", 10), ("g0-00.answer.txt", 20)):
        path = author.folder / name
        path.write_text(PROGRAM if path.suffix == ".py" else "Let me think.")
        os.utime(path, (time.time() - age,) * 2)
    author.ask(ask())
    wait_for(lambda: author.replies, 20)
    assert author.said() == []


def test_a_file_counts_once_it_is_whole_and_has_not_changed_for_a_while(
    ask: Callable[..., Request], author: Author
) -> None:
    author.ask(ask())
    wait_for(author.said, 20)
    path = author.folder / "g0-00.py"
    lines = [*PROGRAM.replace("return", "a = 1.0\n    return").splitlines(keepends=True), "# the end\n"]
    with path.open("w") as file:
        for line in lines:  # slower than files are looked at, faster than they settle
            file.write(line)
            file.flush()
            threading.Event().wait(0.05)
    assert author.replies == []
    wait_for(lambda: author.replies, 20)
    assert [each.source for each in author.replies if isinstance(each, Reply)] == ["".join(lines)]
    assert author.said() == [""]


def test_an_answer_without_a_program_is_named_once_and_waited_for(
    ask: Callable[..., Request], author: Author
) -> None:
    author.ask(ask())
    path = author.folder / "g0-00.answer.md"
    for content, said in (("", 1), ("What is a hinge?", 2), ("What is a hinge?\n", 2), (CHAT[:60], 3)):
        wait_for(author.folder.exists, 20)
        path.write_text(content)
        wait_for(lambda said=said: len(author.said()) == said, 20)
        threading.Event().wait(0.5)
        assert len(author.said()) == said
    assert author.replies == []
    path.unlink()
    wait_for(lambda: author.said()[-1] == "", 20)
    (author.folder / "g0-00.py").write_text(PROGRAM)
    wait_for(lambda: author.replies, 20)


def test_a_repair_shows_the_error_and_either_may_be_left_out(
    ask: Callable[..., Request], author: Author
) -> None:
    answered = Repair(PROGRAM, "Line 1: no", {"messages": prompts.messages(ask()), "reply": CHAT})
    author.ask(ask(repair=answered))
    path = author.folder / "g0-00.repair-1.md"
    wait_for(path.exists, 20)
    text = path.read_text()
    assert text.index("A plan: run.") < text.index("Line 1: no")
    assert "You are a reward engineer" not in text
    (author.folder / "g0-00.py").write_text(PROGRAM)  # the answer to the first prompt, which was refused
    (author.folder / "g0-00.repair-1.answer.md").write_text("skip")
    wait_for(lambda: author.replies, 20)
    author.ask(ask(repair=Repair(None, LEFT_OUT)))
    wait_for(lambda: len(author.replies) == 2, 20)
    assert [str(each) for each in author.replies] == [LEFT_OUT] * 2


def test_a_generation_by_hand_is_small() -> None:
    asked = RunConfig(task="hopper-hop", designer="manual")
    assert settle(asked).samples == SAMPLES_BY_HAND
    assert settle(RunConfig(task="hopper-hop", designer="manual", samples=5)).samples == 5
    assert settle(RunConfig(task="hopper-hop", designer="templates")).samples == 0
