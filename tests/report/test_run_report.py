"""Contents of report.html and report.md."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eureka_loop.errors import BadInput, Damaged, UnknownName
from eureka_loop.execute.films import film
from eureka_loop.records import POLICY
from eureka_loop.report.run_report import PICTURE, write_report
from eureka_loop.store import Run

if TYPE_CHECKING:
    from .conftest import Script


def test_it_tells_the_whole_story(script: Script) -> None:
    run = script.whole()
    program = f"{run.folder}/candidates/g1-00/reward.py"
    _, path = write_report(run)
    assert path == run.folder / "report.md"
    report = path.read_text(encoding="utf-8")
    for line in (
        "# halfcheetah-run",
        "> Make the half-cheetah run forward as fast as possible.",
        "`g1-00`, written by llm (improves on g0-01).",
        "| winner g1-00 | 2.600 | \\[2.500, 2.700\\] | 100% | 2.500, 2.700, 2.600 |",
        "| hand-written | 2.100 | \\[2.000, 2.200\\] | 67% | 2.000, 2.200, 2.100 |",
        "| sparse | 0.600 | \\[0.400, 0.900\\] | 0% | 0.400, 0.500, 0.900 |",
        "- Human-normalised score: not defined, since at least 4 seeds a side are needed for any verdict.",
        f"![Fitness over training: interquartile mean over seeds, with its 95% interval]({PICTURE})",
        "| 4 | g0-00 | 1.200 | 0% | speed 80%, upright 10%, effort 10%, \\_level |  | sample 1 |",
        "| g1-02 | seed 0 | not finite | term 'speed' is NaN in 3 of 2,048 rows |",
        f"eureka run --config {run.folder}/run.toml --human {run.folder}/task/human.py",
        f"eureka train {program} --config {run.folder}/run.toml --report-seeds 3 --human "
        f"{run.folder}/task/human.py",
        "- Search: training seeds 0; judged on seeds 10000000 to 10000003",
        "- Report: training seeds 20000000, 20000100, 20000200; judged on seeds 30000000 to 30000003",
        "- Made by eureka-loop 0.1.0, torch 2.8.0, git\\_commit b80e0ab, git\\_dirty False",
    ):
        assert line in report.splitlines(), line
    assert (run.folder / PICTURE).read_text().startswith("<svg")


def test_a_run_without_a_report(script: Script) -> None:
    script.search()
    report = write_report(script.run)[-1].read_text(encoding="utf-8")
    assert "The run ended before its report. Best so far: `g1-00`" in report
    assert "Beside the hand-written" not in report
    assert not (script.run.folder / PICTURE).exists()


def test_a_stopped_run_is_marked_as_unfinished(script: Script) -> None:
    script.search()
    script.report(sparse=(0.4,))
    script.run.event("stopped", reason="--max-hours 1.0 is reached")
    report = write_report(script.run, pictures=False)[0].read_text(encoding="utf-8")
    assert (
        "**Not finished** (stopped: --max-hours 1.0 is reached): 12 of 14 trainings done when this was written."
        in report
    )
    assert f"eureka resume {script.run.folder}\n" in report
    assert "- The report is not finished (7 of 9 trainings): there is no verdict yet." in report
    assert "can't tell" not in report
    assert not (script.run.folder / PICTURE).exists()


def test_it_says_what_the_sandbox_was_worth(script: Script) -> None:
    run = script.whole()
    with (run.folder / "run.toml").open("a") as file:
        file.write('\n[sandbox]\ntier = "reduced"\nlayers = ["limits"]\nself_test_tried = 26\n')
        file.write('landlock_abi = 0\nself_test_refused = 25\nnot_refused = ["read_file"]\n')
    assert (
        "- Sandbox: reduced (limits); of 26 forbidden operations tried in locked processes, 25 were refused, "
        "not read\\_file"
    ) in write_report(run, pictures=False)[0].read_text(encoding="utf-8").splitlines()
    table = (run.folder / "run.toml").read_text()
    (run.folder / "run.toml").write_text(table.replace('not_refused = ["read_file"]', ""))
    with pytest.raises(Damaged, match="not_refused"):
        write_report(run, pictures=False)


@pytest.fixture
def played(script: Script, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run with policies, on a machine that draws all but the sparse reward's."""

    def filmed(episodes: Mapping[Path, object]) -> str:
        for path in episodes:
            path.parent.mkdir(exist_ok=True)
            if not path.name.startswith("sparse"):
                path.write_bytes(b"film")
                path.with_suffix(".png").write_bytes(b"moments")
        return "it <b>broke"

    monkeypatch.setattr("eureka_loop.execute.films.filmed", filmed)
    monkeypatch.setattr("eureka_loop.execute.films.drawn_here", lambda film, policy: film.exists())
    run = script.whole()
    for folder in run.folder.glob("candidates/*/seed-2*"):
        (folder / POLICY).touch()
    return run


def test_the_report_shows_the_winners_median_and_worst_episode_and_the_references_medians(
    played: Run, elements_of: Callable[[str], list[tuple[str, dict[str, str | None]]]]
) -> None:
    page, markdown = (path.read_text(encoding="utf-8") for path in write_report(played))
    labels = [
        "g1-00, median of 12 judged episodes: fitness 2.600",
        "g1-00, worst of 12 judged episodes: fitness 2.400",
        "hand-written, median of 12 judged episodes: fitness 2.100",
    ]
    assert re.findall(r"<h3>(.*)</h3>", page) == labels
    elements = elements_of(page)
    assert [each["src"] for tag, each in elements if tag == "video"] == ["data:video/mp4;base64,ZmlsbQ=="] * 3
    assert [each["src"] for tag, each in elements if tag == "img"] == [
        "data:image/png;base64,bW9tZW50cw=="
    ] * 3
    assert "No video: it &lt;b&gt;broke." in page
    for label, path in re.findall(r"^\[(.*)\]\((films/.*\.mp4)\):$", markdown, re.MULTILINE):
        assert label == labels.pop(0)
        assert (played.folder / path).exists()
    assert labels == []


def test_of_episodes_that_never_succeed_progress_tells_the_worst(script: Script) -> None:
    script.search()
    for seed, progress in ((3, -0.9), (4, -0.2), (5, -0.5)):
        script.train("g0-00", seed, 0.0, progress)
        (script.run.job_folder("g0-00", seed) / POLICY).touch()
    assert film(script.run, "g0-00", worst=True).policy.name == "seed-3"
    with pytest.raises(BadInput, match="g0-01 has no trained policy"):
        film(script.run, "g0-01")
    with pytest.raises(UnknownName, match="unknown candidate 'g0-0'; did you mean 'g0-0"):
        film(script.run, "g0-0")
