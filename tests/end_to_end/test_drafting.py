"""A task in plain words and nothing else: its measure is drafted by a model on the loopback, and confirmed."""

from __future__ import annotations

import json
import os
import pty
import sys
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from eureka_loop import files
from eureka_loop.records import Reply
from eureka_loop.report.sections import UNCONFIRMED

from .endpoint import chat
from .program import done, eureka, start, the_run

pytestmark = pytest.mark.timeout(300)

TASK = "keep the pole up"
MEASURE = '''def fitness(pole_up, time):
    """Keep the pole up.

    Criteria:
    - upright (0.5): the pole is up; pole_up[:, 2], 0.9
    - lasts (0.5): for long; time, 10 s, in proportion

    What could fool it:
    - {}
    """
    upright = (pole_up[:, 2] > 0.9).mean()
    lasts = np.clip(time[-1] / 10.0, 0.0, 1.0)
    return 0.5 * upright + 0.5 * lasts
'''
REWARD = "def compute_reward(pole_up):\n    return {'up': pole_up[:, 2]}\n"
UNSTATED = "def fitness(pole_up):\n    return pole_up[:, 2].mean()\n"


class Model:
    """Its first draft states no criteria; asked again, attacked or told, it answers with another measure."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, request: Request) -> Response:
        messages = request.get_json()["messages"]
        last = messages[-1]["content"]
        self.asked.append(last)
        if "compute_reward" in messages[0]["content"]:
            code = REWARD
        elif "Change the measure so" in last:
            code = MEASURE.format("nothing, now that a person has seen it")
        elif "# Attack it" in last:
            code = MEASURE.format("luck at the start: lasts counts half")
        else:
            code = UNSTATED if len(self.asked) == 1 else MEASURE.format("not thought about")
        return chat(f"Plan.\n```python\n{code}```", prompt_tokens=1000, completion_tokens=50)


@pytest.fixture
def model(httpserver: HTTPServer) -> Model:
    model = Model()
    httpserver.expect_request("/v1/chat/completions").respond_with_handler(model)
    return model


def words(*more: str, url: str = "") -> list[str]:
    small = "--generations 1 --samples 1 --steps 300 --report-seeds 2 --judge-episodes 2 --jobs 1 --minutes 0"
    where = ["--model", "small", "--base-url", f"{url}/v1"] if url else ["--designer", "templates"]
    return ["run", TASK, "--env", "InvertedPendulum-v5", *small.split(), *where, *more]


def asked(*command: str, typed: str, cwd: Path, **env: str) -> tuple[int, str, str]:
    """The program with a terminal on which this is typed."""
    ours, theirs = pty.openpty()
    process = start(*command, cwd=cwd, stdin=theirs, **env)
    os.close(theirs)
    os.write(ours, typed.encode())
    out, err = process.communicate(timeout=250)
    os.close(ours)
    return process.returncode, out, err


def test_a_draft_is_mended_attacked_and_taken_unconfirmed(
    httpserver: HTTPServer, model: Model, tmp_path: Path
) -> None:
    out = done(*words("--yes", url=httpserver.url_for("")), cwd=tmp_path)
    run = the_run(tmp_path)
    taken = MEASURE.format("luck at the start: lasts counts half")
    assert (run.config.fitness, run.config.drafted) == (taken, "unconfirmed")
    assert run.task().fitness == taken
    replies = files.read_json(run.task_folder / "drafts.json", list[Reply])
    assert len(replies) == 4, "two drafts, one of them repaired, and the attack"
    assert run.spent().tokens == 5 * 1050, "with the reward"
    refused, attack = (
        next(each for each in model.asked if part in each) for part in ("Criteria", "# Attack")
    )
    assert "state the criteria in the docstring of `fitness`" in refused
    assert "standing still | " in attack
    assert "Another measure for the same task, drafted apart" in attack
    assert "luck at the start: lasts counts half" in out
    written = (run.folder / "report.md").read_text()
    assert UNCONFIRMED in out
    assert UNCONFIRMED in written
    assert "Fitness, drafted or sent, and confirmed by nobody" in written
    train = ["train", f"{run.folder}/candidates/g0-00/reward.py", "--json", "--report-seeds", "2"]
    _, told, _ = eureka(*train, "--config", f"{run.folder}/run.toml", cwd=tmp_path)
    assert json.loads(told)["report"]["verdicts"][0] == UNCONFIRMED

    calls = len(model.asked)
    (tmp_path / "again").mkdir()
    done("run", TASK, "--env", "InvertedPendulum-v5", "--replay", str(run.folder), cwd=tmp_path / "again")
    again = the_run(tmp_path / "again")
    assert (again.config.fitness, again.config.drafted) == (taken, "unconfirmed")
    assert len(model.asked) == calls


def test_a_person_says_what_is_wrong_edits_and_says_yes(
    httpserver: HTTPServer, model: Model, tmp_path: Path
) -> None:
    editor = tmp_path / "edit.py"
    editor.write_text(
        "import sys\ntext = open(sys.argv[1]).read()\n"
        "open(sys.argv[1], 'w').write('LATE = 20.0\\n' + text.replace('10.0', 'LATE'))\n"
    )
    typed = "it has to last\ne\ny\n"
    editing = f"{sys.executable} {editor}"
    url = httpserver.url_for("")
    code, out, err = asked(*words("--report-seeds", "0", url=url), typed=typed, cwd=tmp_path, EDITOR=editing)
    assert code == 0, err
    told = next(each for each in model.asked if "Change the measure so" in each)
    assert "it has to last" in told
    run = the_run(tmp_path)
    source = str(run.config.fitness)
    assert source.startswith("LATE = 20.0\n")
    assert "time[-1] / LATE" in source
    assert "nothing, now that a person has seen it" in source
    assert run.config.drafted == "confirmed"
    assert err.count("Take this measure?") == 3
    assert "drafted by you" in out
    assert UNCONFIRMED not in out


def test_a_program_that_was_refused_is_edited_further(tmp_path: Path) -> None:
    editor = tmp_path / "edit.py"
    editor.write_text(
        "import sys\ntext = open(sys.argv[1]).read()\n"
        "first = 'LATE' not in text\n"
        "text = 'LATE = pole_pu\\n' + text if first else text.replace('pole_pu', '1.0')\n"
        "open(sys.argv[1], 'w').write(text)\n"
    )
    editing = f"{sys.executable} {editor}"
    code, out, err = asked(*words(), typed="e\ne\nn\n", cwd=tmp_path, EDITOR=editing)
    assert code == 2, err
    assert "pole_pu" in out
    assert out.count("Measure  drafted by") == 2, "the refused one is not shown again"
    assert next(tmp_path.glob("runs/*.py")).read_text().startswith("LATE = 1.0\n")


def test_a_no_begins_nothing_and_keeps_the_draft(tmp_path: Path) -> None:
    typed = "broken?\ne\n\nn\n"
    code, out, err = asked(*words(), typed=typed, cwd=tmp_path, EDITOR="none-such 'open")
    assert code == 2
    assert "fitness.py, then press Enter" in err
    assert "without a model no words can change it" in out
    (kept,) = tmp_path.glob("runs/*")
    assert kept.name == "keep-the-pole-up.py"
    assert "height_goal" in kept.read_text()
    assert err.splitlines()[-1].endswith(f"change it, and give --fitness runs/{kept.name}")


@pytest.mark.parametrize("designer", ["llm", "llm,templates"])
def test_a_limit_that_no_draft_fits_into_begins_nothing(
    httpserver: HTTPServer, model: Model, tmp_path: Path, designer: str
) -> None:
    given = words("--yes", "--max-tokens", "500", "--designer", designer, url=httpserver.url_for(""))
    code, _, err = eureka(*given, cwd=tmp_path)
    assert (code, model.asked, list(tmp_path.glob("runs/*"))) == (1, [], [])
    assert "no measure was drafted, and nothing was begun: --max-tokens 500" in err
    assert "resume" not in err


def test_without_a_terminal_and_without_yes_nothing_is_paid(
    httpserver: HTTPServer, model: Model, tmp_path: Path
) -> None:
    code, _, err = eureka(*words(url=httpserver.url_for("")), cwd=tmp_path)
    assert code == 2
    assert "a person confirms it: run this in a terminal, give --yes to take it unconfirmed, or give" in err
    assert (model.asked, list(tmp_path.iterdir())) == ([], [])
