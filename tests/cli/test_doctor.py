"""What the doctor says of machines as they are, and as they might be."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from importlib import metadata
from types import SimpleNamespace

import pytest
from pytest_httpserver import HTTPServer

from eureka_loop.cli import doctor
from eureka_loop.cli.doctor import Finding
from eureka_loop.errors import SandboxError
from eureka_loop.execute import machine as sizes
from eureka_loop.reward.sandbox.lock import ALL_LAYERS, Layer
from eureka_loop.reward.sandbox.probes import PROBES
from eureka_loop.reward.sandbox.status import SandboxStatus

KEY = "sk-a-key-that-nobody-may-see"


def found(findings: Iterable[Finding], what: str) -> Finding:
    return next(each for each in findings if each.what == what)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):
    """Make this machine one whose sandbox is worth that much; its findings."""

    def pretend(held: Layer, *through: str) -> list[Finding]:
        seen = {name: name not in through for name in PROBES}
        monkeypatch.setattr(doctor, "measure", lambda fork_server: SandboxStatus(held, 0, seen))
        return list(doctor.sandbox())

    return pretend


def test_a_strict_machine_lacks_nothing(machine):
    findings = machine(ALL_LAYERS)
    assert found(findings, "tier") == Finding("tier", "good", "strict")
    assert {each.state for each in findings} == {"good", "note"}
    assert sum(each.value == "refused" for each in findings) == len(PROBES)


def test_a_kernel_without_landlock_stops_runs_and_says_what_to_do(machine, monkeypatch):
    monkeypatch.setattr(doctor.lock, "landlock_abi", lambda: 0)
    findings = machine(ALL_LAYERS & ~Layer.LANDLOCK)
    tier, layer = found(findings, "tier"), found(findings, "landlock")
    assert tier.state == layer.state == "stop"
    assert tier.value == "reduced: a run refuses to start"
    assert "--allow-reduced-sandbox" in tier.remedy
    assert "Linux 5.13" in layer.remedy


def test_another_processor_has_no_filter(machine, monkeypatch):
    monkeypatch.setattr(doctor.seccomp, "machine", lambda: None)
    assert "x86-64 and aarch64" in found(machine(ALL_LAYERS & ~Layer.SECCOMP), "seccomp").remedy


def test_another_system_is_told_where_it_works(monkeypatch):
    monkeypatch.setattr(doctor.sys, "platform", "darwin")
    (finding,) = doctor.sandbox()
    assert (finding.what, finding.state) == ("tier", "stop")
    assert "Linux container" in finding.remedy


def test_who_is_not_root_lacks_nothing(machine):
    assert found(machine(ALL_LAYERS & ~Layer.IDENTITY), "identity").state == "note"


def test_an_attempt_that_works_is_named(machine):
    assert found(machine(ALL_LAYERS, "connect"), "connect") == Finding(
        "connect", "stop", "a locked process could"
    )


def test_a_system_without_locked_processes_is_said_to_be_one(monkeypatch):
    def no(fork_server: object) -> SandboxStatus:
        raise SandboxError("use WSL2")

    monkeypatch.setattr(doctor, "measure", no)
    assert list(doctor.sandbox()) == [
        Finding("tier", "stop", "none: no locked process can be started", "use WSL2")
    ]


@pytest.fixture
def draws(monkeypatch: pytest.MonkeyPatch):
    """Backends that draw, or fail, as one likes: the lines they run."""
    return lambda lines: monkeypatch.setattr(doctor, "_DRAW", lines)


def test_backends_that_draw_are_good(draws):
    draws("import os; assert os.environ['MUJOCO_GL'] in ('egl', 'osmesa')")
    assert [(each.what, each.state) for each in doctor.rendering()] == [("egl", "good"), ("osmesa", "good")]


def test_one_backend_is_enough(draws):
    draws("import os\nif os.environ['MUJOCO_GL'] == 'osmesa': raise RuntimeError('no library')")
    second = list(doctor.rendering())[1]
    assert second == Finding("osmesa", "note", "doesn't draw (RuntimeError: no library)")


def test_no_backend_is_a_lack_with_a_remedy(draws):
    draws("import ctypes; ctypes.string_at(0)")
    findings = list(doctor.rendering())
    assert {each.state for each in findings} == {"lack"}
    assert "exit status -11" in findings[0].value
    assert "libegl1" in findings[0].remedy


def test_a_backend_that_hangs_is_given_up(draws, monkeypatch):
    monkeypatch.setattr(doctor, "GL_SECONDS", 0.2)
    draws("import time; time.sleep(60)")
    assert all("nothing within 0.2 s" in each.value for each in doctor.rendering())


def test_little_memory_means_fewer_workers(monkeypatch):
    monkeypatch.setattr(sizes, "available_memory", lambda: 0.9e9)
    monkeypatch.setattr(sizes, "cores", lambda: 8)
    memory = found(doctor.devices(), "memory")
    assert memory.state == "lack"
    assert "1 workers" in found(doctor.devices(), "cores").value


def test_gpus_are_listed(tmp_path, monkeypatch):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'A GPU, 80 GiB, 570.1'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert list(doctor.gpus()) == [Finding("GPU", "note", "A GPU, 80 GiB, 570.1")]
    program.write_text("#!/bin/sh\nexit 9\n")
    assert "fails" in next(doctor.gpus()).value


def test_the_disk_is_that_of_the_nearest_folder_there_is(tmp_path):
    (finding,) = doctor.disk(tmp_path / "not" / "yet")
    assert finding.state in ("good", "lack")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_and_one_that_can_not_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=5e6))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    full, closed = doctor.disk(tmp_path)
    assert (full.state, closed.state) == ("lack", "stop")
    assert "--out" in full.remedy
    assert "--out" in closed.remedy


def test_without_a_model_the_templates_write():
    (finding,) = doctor.endpoint({})
    assert finding.state == "note"
    assert "templates" in finding.value


def model_at(url: str, **environ: str) -> dict[str, str]:
    return {"EUREKA_MODEL": "m", "OPENAI_BASE_URL": url, "OPENAI_API_KEY": KEY, **environ}


def test_an_endpoint_that_offers_the_model(httpserver: HTTPServer):
    httpserver.expect_request("/v1/models").respond_with_json({"data": [{"id": "m"}, {"id": "n"}]})
    findings = list(doctor.endpoint(model_at(httpserver.url_for("/v1"))))
    assert found(findings, "endpoint").state == "good"
    assert found(findings, "endpoint").value.endswith("offers 2 models")


def test_an_endpoint_without_the_model(httpserver: HTTPServer):
    httpserver.expect_request("/v1/models").respond_with_json({"data": [{"id": "n"}]})
    finding = found(doctor.endpoint(model_at(httpserver.url_for("/v1"))), "endpoint")
    assert (finding.state, "no 'm'" in finding.remedy) == ("lack", True)


def test_an_endpoint_that_wants_another_key(httpserver: HTTPServer):
    httpserver.expect_request("/v1/models").respond_with_json(
        {"error": {"message": f"bad {KEY}"}}, status=401
    )
    findings = list(doctor.endpoint(model_at(httpserver.url_for("/v1"))))
    assert "check the address and the key" in found(findings, "endpoint").remedy
    assert KEY not in str(findings)


def test_an_endpoint_that_is_not_there():
    finding = found(doctor.endpoint(model_at("http://127.0.0.1:9/v1")), "endpoint")
    assert finding.state == "lack"
    assert "can't be reached (Connection refused)" in finding.value


def test_an_address_that_is_none_and_a_key_that_is_missing():
    assert found(doctor.endpoint(model_at("ftp://x")), "endpoint").state == "lack"
    no_key = found(doctor.endpoint({"EUREKA_MODEL": "m"}), "endpoint")
    assert "OPENAI_API_KEY" in no_key.remedy


def test_packages_are_this_ones_own_and_those_it_needs(monkeypatch):
    names = [each.what for each in doctor.packages()]
    assert {"python", "eureka-loop", "numpy", "mujoco", "torch", "metaworld"} <= set(names)
    assert "pytest" not in names

    def version(name: str) -> str:
        if name in ("torch", "metaworld"):
            raise metadata.PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(metadata, "version", version)
    findings = list(doctor.packages())
    assert found(findings, "torch") == Finding("torch", "stop", "not installed", "pip install torch")
    assert found(findings, "metaworld").state == "note"


def test_every_section_is_looked_at(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "_DRAW", "")
    sections = {each.title: each.findings for each in doctor.examine(tmp_path, {})}
    assert list(sections) == ["sandbox", "devices", "disk", "endpoint", "rendering", "packages"]
    assert all(sections.values())
    lacks = [each for findings in sections.values() for each in findings if each.state in ("lack", "stop")]
    assert all(each.remedy or each.value == "a locked process could" for each in lacks)
