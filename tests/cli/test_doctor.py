"""`eureka doctor` on this machine and on simulated ones, and on a screen."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
from pytest_httpserver import HTTPServer

from eureka_loop.cli import doctor
from eureka_loop.cli.doctor import Finding, print_doctor
from eureka_loop.errors import SandboxError
from eureka_loop.execute import machine as sizes
from eureka_loop.reward.sandbox.lock import ALL_LAYERS, Layer
from eureka_loop.reward.sandbox.probes import PROBES
from eureka_loop.reward.sandbox.status import SandboxStatus

KEY = "sk-a-secret-key"


def found(findings: Iterable[Finding], name: str) -> Finding:
    return next(each for each in findings if each.name == name)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):
    """Layers that hold, attempts that work → findings of the sandbox."""

    def simulate(held: Layer, *working: str) -> list[Finding]:
        refused = {name: name not in working for name in PROBES}
        monkeypatch.setattr(doctor, "measure", lambda fork_server: SandboxStatus(held, 0, refused))
        return list(doctor.sandbox())

    return simulate


def test_a_strict_machine_lacks_nothing(machine):
    findings = machine(ALL_LAYERS)
    assert found(findings, "tier")[1:3] == ("good", "strict")
    assert {each.state for each in findings} == {"good", "note"}
    assert f"{len(PROBES)} forbidden things refused: " in found(findings, "self-test").value
    assert found(machine(ALL_LAYERS & ~Layer.IDENTITY), "identity").state == "note"  # without root


def test_a_layer_that_is_off_and_an_attempt_that_works_stop_runs(machine, monkeypatch):
    monkeypatch.setattr(doctor.lock, "landlock_abi", lambda: 0)
    findings = machine(ALL_LAYERS & ~Layer.LANDLOCK, "connect")
    assert found(findings, "connect") == Finding("connect", "stop", "a locked process could")
    tier, layer = found(findings, "tier"), found(findings, "landlock")
    assert (tier.state, tier.value, layer.state) == ("stop", "reduced: a run refuses to start", "stop")
    assert "--allow-reduced-sandbox" in tier.remedy
    assert "Linux 5.13" in layer.remedy


def test_a_system_without_locked_processes(monkeypatch):
    def no(fork_server: object) -> SandboxStatus:
        raise SandboxError("use WSL2")

    monkeypatch.setattr(doctor, "measure", no)
    message = "none: no locked process can be started"
    assert list(doctor.sandbox()) == [Finding("tier", "stop", message, "use WSL2")]


@pytest.mark.parametrize(
    ("lines", "states", "value"),
    [
        ("assert True", ["good", "good"], "draws"),
        (
            "import os\nif os.environ['MUJOCO_GL'] == 'osmesa': raise RuntimeError('no library')",
            ["good", "note"],
            "doesn't draw (RuntimeError: no library)",
        ),
        ("import ctypes; ctypes.string_at(0)", ["lack", "lack"], "doesn't draw (exit status -11)"),
    ],
)
def test_rendering(monkeypatch, lines, states, value):
    monkeypatch.setattr(doctor, "DRAW", lines)
    findings = list(doctor.rendering())
    assert ([each.state for each in findings], findings[1].value) == (states, value)
    assert ("libegl1" in findings[0].remedy) == (states[0] == "lack")


def test_little_memory_means_fewer_workers(monkeypatch):
    monkeypatch.setattr(sizes, "available_memory", lambda: 0.9e9)
    monkeypatch.setattr(sizes, "cores", lambda: 8)
    assert found(doctor.devices(), "memory").state == "lack"
    assert "up to 1 worker" in found(doctor.devices(), "cores").value


def test_gpus_are_listed(tmp_path, monkeypatch):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'A GPU, 80 GiB, 570.1'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert found(doctor.devices(), "GPU") == Finding("GPU", "note", "A GPU, 80 GiB, 570.1")


def test_the_disk(tmp_path, monkeypatch):
    (finding,) = doctor.disk(tmp_path / "not" / "yet")
    assert finding.state in ("good", "lack")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=5e6))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    full, closed = doctor.disk(tmp_path)
    assert (full.state, closed.state) == ("lack", "stop")
    assert "--out" in full.remedy
    assert "--out" in closed.remedy


def model_at(url: str) -> dict[str, str]:
    return {"EUREKA_MODEL": "m", "OPENAI_BASE_URL": url, "EUREKA_API_KEY": KEY}


@pytest.mark.parametrize(
    ("answer", "status", "state", "words"),
    [
        ({"data": [{"id": "m"}, {"id": "n"}]}, 200, "good", "offers 2 models"),
        ({"data": [{"id": "n"}]}, 200, "lack", "no 'm'"),
        ({"error": {"message": f"bad {KEY}"}}, 401, "lack", "check the key in EUREKA_API_KEY"),
    ],
)
def test_an_endpoint(httpserver: HTTPServer, answer, status, state, words):
    httpserver.expect_request("/v1/models").respond_with_json(answer, status=status)
    findings = list(doctor.endpoint(model_at(httpserver.url_for("/v1"))))
    finding = found(findings, "endpoint")
    assert finding.state == state
    assert words in finding.value + finding.remedy
    assert KEY not in str(findings)


@pytest.mark.parametrize(
    ("environ", "text"),
    [
        ({}, "templates"),
        (model_at("http://127.0.0.1:9/v1"), "can't be reached, or lists no models"),
        (model_at("ftp://x"), "can't be used"),
        ({"EUREKA_MODEL": "m"}, "OPENAI_API_KEY"),
    ],
)
def test_no_endpoint_or_none_that_can_be_used(environ, text):
    *_, finding = doctor.endpoint(environ)
    assert finding.state == ("lack" if environ else "note")
    assert text in finding.value + finding.remedy


def test_packages(monkeypatch):
    def version(name: str) -> str:
        if name in ("torch", "metaworld"):
            raise metadata.PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(metadata, "version", version)
    findings = list(doctor.packages())
    names = [each.name for each in findings]
    assert {"python", "eureka-loop", "numpy", "mujoco"} <= set(names)
    assert "pytest" not in names
    assert found(findings, "torch") == Finding("torch", "stop", "not installed", "pip install torch")
    assert found(findings, "metaworld").state == "note"


def test_every_section_and_a_remedy_for_every_lack(monkeypatch, tmp_path: Path):
    monkeypatch.setattr(doctor, "DRAW", "")
    sections = {title: list(findings) for title, findings in doctor.examine(tmp_path, {}).items()}
    assert list(sections) == ["sandbox", "devices", "disk", "endpoint", "rendering", "packages"]
    assert all(sections.values())
    lacks = [each for findings in sections.values() for each in findings if each.state in ("lack", "stop")]
    assert all(each.remedy or each.value == "a locked process could" for each in lacks)


def test_on_a_screen(capsys: pytest.CaptureFixture[str]):
    findings = [
        Finding("kernel", "good", "Linux", "never shown"),
        Finding("tier", "stop", "reduced", "use Linux"),
        Finding("limits", "good", "on"),
        Finding("fork", "stop", "a locked process could"),
    ]
    assert not print_doctor({"sandbox": findings})
    assert capsys.readouterr().out == (
        "\n"
        "sandbox\n"
        "  kernel  ✓ Linux\n"
        "  tier    ✗ reduced\n"
        "            → use Linux\n"
        "  limits  ✓ on\n"
        "  fork    ✗ a locked process could\n"
        "\n"
        "No run starts like this: 2 things marked ✗.\n"
    )
    assert print_doctor({"disk": [Finding("free", "lack", "\x1b[2Jlittle", "\x1b]0;x")]})
    output = capsys.readouterr().out
    assert "\x1b" not in output
    assert "Runs can start here." in output
