"""The doctor's findings on a screen."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from eureka_loop.cli.doctor import Finding, Section
from eureka_loop.cli.doctor_report import print_doctor
from eureka_loop.cli.doctor_report import shown as rendered


@pytest.fixture
def shown_section(shown: Callable[..., str]) -> Callable[..., str]:
    return lambda *findings: shown(rendered(Section("sandbox", findings)))


def test_a_section_shows_marks_values_and_remedies(shown_section: Callable[..., str]) -> None:
    assert shown_section(
        Finding("tier", "stop", "reduced", "use Linux"),
        Finding("limits", "good", "on"),
        Finding("read file", "good", "refused"),
        Finding("connect", "good", "refused"),
        Finding("fork", "stop", "a locked process could"),
    ) == (
        "\n"
        "sandbox\n"
        "  tier                ✗ reduced\n"
        "                        → use Linux\n"
        "  limits              ✓ on\n"
        "  fork                ✗ a locked process could\n"
        "  self-test: refused  ✓ 2 forbidden things: read file, connect"
    )


def test_what_an_endpoint_writes_is_text(shown_section: Callable[..., str], hostile: str) -> None:
    lines = shown_section(Finding("endpoint", "lack", hostile, hostile))
    assert "\x1b" not in lines


def test_the_verdict_counts_what_stops_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert print_doctor([Section("disk", (Finding("free", "lack", "little"),))])
    assert "Runs can start here." in capsys.readouterr().out
    assert not print_doctor(
        [Section("a", (Finding("b", "stop", "c"),)), Section("d", (Finding("e", "stop", "f"),))]
    )
    assert "No run starts like this: 2 things marked ✗." in capsys.readouterr().out
