"""What this machine can do and what it lacks, with what to do about each lack. It only looks."""

from __future__ import annotations

import os
import platform
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from eureka_loop.errors import EurekaError, SandboxError
from eureka_loop.execute import machine
from eureka_loop.propose.llm.settings import KEYS, LLMSettings, configured_model, configured_url
from eureka_loop.reward.sandbox import lock, seccomp
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.lock import Layer
from eureka_loop.reward.sandbox.status import OVERRIDE, SandboxStatus, measure

State = Literal["good", "note", "lack", "stop"]  # note: neither good nor bad; stop: no run starts like this

GL_SECONDS = 60.0  # mujoco's import from a cold disk
ENDPOINT_SECONDS = 5.0
RUN_BYTES = 1e9  # free space below which a run may not end

_DRAW = """
import mujoco
model = mujoco.MjModel.from_xml_string(
    "<mujoco><worldbody><light pos='0 0 3'/><geom type='sphere' size='1'/></worldbody></mujoco>")
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
with mujoco.Renderer(model, 32, 32) as renderer:
    renderer.update_scene(data)
    assert renderer.render().any(), "it drew nothing"
"""
_GL = {  # backend → what brings it
    "egl": "a graphics driver with EGL, or Mesa's: apt-get install libegl1 libgl1",
    "osmesa": "Mesa's off-screen library: apt-get install libosmesa6",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at.

    Attributes:
        remedy: what to do about a lack; "" where there is none, or nothing to be done.
    """

    what: str
    state: State
    value: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    findings: tuple[Finding, ...]


def examine(runs: Path, environ: Mapping[str, str] = os.environ) -> Iterator[Section]:
    """Every section, one after the other: some take seconds.

    Args:
        runs: where run folders would go.
    """
    yield Section("sandbox", tuple(sandbox()))
    yield Section("devices", tuple(devices()))
    yield Section("disk", tuple(disk(runs)))
    yield Section("endpoint", tuple(endpoint(environ)))
    yield Section("rendering", tuple(rendering()))
    yield Section("packages", tuple(packages()))


def sandbox() -> Iterator[Finding]:
    """Tier, kernel, layers, and every attempt of the self-test."""
    try:
        with ForkServer() as fork_server:
            status = measure(fork_server)
    except SandboxError as error:
        yield Finding("tier", "stop", "none: no locked process can be started", str(error))
        return
    yield _tier(status)
    yield Finding("kernel", "note", f"{platform.system()} {platform.release()}, {platform.machine()}")
    yield from (_layer(layer, status) for layer in Layer)
    for attempt, refused in status.refused.items():
        words = attempt.replace("_", " ")
        yield Finding(
            words, "good" if refused else "stop", "refused" if refused else "a locked process could"
        )


def _tier(status: SandboxStatus) -> Finding:
    if status.strict:
        return Finding("tier", "good", "strict")
    remedy = f"see the layers below; {OVERRIDE} runs generated code all the same"
    return Finding("tier", "stop", f"{status.tier}: a run refuses to start", remedy)


def _layer(layer: Layer, status: SandboxStatus) -> Finding:
    name, held = (layer.name or "").lower(), layer in status.held
    shown = f"on, kernel ABI {status.landlock_abi}" if held and layer is Layer.LANDLOCK else "on"
    if held:
        return Finding(name, "good", shown)
    if layer is Layer.IDENTITY:
        return Finding(name, "note", "off: there is nobody else to become")
    return Finding(name, "stop", "off", _remedy(layer))


def _remedy(layer: Layer) -> str:
    if layer is Layer.LANDLOCK and lock.landlock_abi() == 0:
        return (
            "Linux 5.13 or later, with `landlock` in /sys/kernel/security/lsm (boot option lsm=landlock,…); "
            "in a container the seccomp profile must allow the landlock calls, as newer Dockers' default does"
        )
    if layer is Layer.SECCOMP and seccomp.machine() is None:
        return f"there is a filter for x86-64 and aarch64, not for {platform.machine()}"
    return "the kernel or the container refuses it: try outside the container, or with its default profile"


def rendering() -> Iterator[Finding]:
    """Whether MuJoCo can draw without a screen; each backend in a process of its own, both at once."""
    started = {name: _draw(name) for name in _GL}
    works = {name: _ended(process) for name, process in started.items()}
    any_works = any(not reason for reason in works.values())
    for name, reason in works.items():
        if not reason:
            yield Finding(name, "good", "draws")
        else:
            remedy = "" if any_works else f"for videos: {_GL[name]}"
            yield Finding(name, "note" if any_works else "lack", f"doesn't draw ({reason})", remedy)


def _draw(backend: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _DRAW],
        env={**os.environ, "MUJOCO_GL": backend, "PYOPENGL_PLATFORM": backend},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def _ended(process: subprocess.Popen[str]) -> str:
    """Why it failed; "" where it didn't."""
    try:
        _, errors = process.communicate(timeout=GL_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return f"nothing within {GL_SECONDS:g} s"
    if process.returncode == 0:
        return ""
    lines = [line for line in errors.splitlines() if re.match(r"\w*(Error|Exception)\b", line)]
    return (lines or [f"exit status {process.returncode}"])[-1][:120]


def devices() -> Iterator[Finding]:
    """Cores and memory that this process may use, and GPUs."""
    here = machine.look()
    shared = machine.share(here)
    workers = f"{shared.workers} workers, each up to {shared.learners} learners at once"
    yield Finding("cores", "good", f"{here.cores}: {workers}")
    if here.memory is not None:
        enough = shared.workers == here.cores
        value = f"{here.memory / 1e9:.1f} GB available; a run stays within {shared.memory / 1e9:.1f} GB"
        yield Finding(
            "memory", "good" if enough else "lack", value, "" if enough else "free some: for more workers"
        )
    yield from gpus()


def gpus() -> Iterator[Finding]:
    program = shutil.which("nvidia-smi")
    if program is None:
        yield Finding("GPU", "note", "none found; none is needed")
        return
    asked = [program, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        said = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        yield Finding("GPU", "note", f"nvidia-smi fails ({type(error).__name__})")
        return
    for line in said.splitlines():
        yield Finding("GPU", "note", line)


def disk(runs: Path) -> Iterator[Finding]:
    """The folder for runs, or the nearest one above it that exists."""
    there = next(path for path in (runs.absolute(), *runs.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free
    enough = free >= RUN_BYTES
    remedy = "" if enough else "free some, or choose another --out"
    yield Finding("free space", "good" if enough else "lack", f"{free / 1e9:.1f} GB for {runs}", remedy)
    if not os.access(there, os.W_OK):
        yield Finding("writable", "stop", f"{there} can't be written", "choose another --out")


def endpoint(environ: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """The language model, where one is configured; a key is never shown."""
    settings = LLMSettings(timeout=ENDPOINT_SECONDS, retries=0)
    model = configured_model(settings, environ)
    if model is None and not any(environ.get(name) for name in ("OPENAI_BASE_URL", *KEYS)):
        value = "none configured: the embedded templates write the rewards"
        yield Finding(
            "model", "note", value, "for a language model: EUREKA_MODEL, and a key or OPENAI_BASE_URL"
        )
        return
    if model is None:
        yield Finding("model", "lack", "none chosen", "set EUREKA_MODEL, or give --model")
    else:
        yield Finding("model", "note", model)
    try:
        url = configured_url(settings, environ)
        offered = _offered(settings, environ)
    except EurekaError as error:
        yield Finding("endpoint", "lack", "can't be used", str(error))
        return
    if offered:
        known = model is None or model in offered
        value, remedy = f"{url} offers {len(offered)} models", f"it has no {model!r}: choose another --model"
        yield Finding("endpoint", "good" if known else "lack", value, "" if known else remedy)
    else:
        yield _unreached(url)


def _offered(settings: LLMSettings, environ: Mapping[str, str]) -> list[str]:
    from eureka_loop.propose.llm.endpoint import Endpoint  # the SDK takes half a second to import

    connected = Endpoint(settings, environ)
    try:
        return connected.models()
    finally:
        connected.close()


def _unreached(url: str) -> Finding:
    """It listed no models: is it there at all?"""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), ENDPOINT_SECONDS).close()
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        remedy = "start it, or check OPENAI_BASE_URL, the network and the proxy"
        return Finding("endpoint", "lack", f"{url} can't be reached ({reason})", remedy)
    return Finding(
        "endpoint", "lack", f"{url} is there, but lists no models", "check the address and the key"
    )


def packages() -> Iterator[Finding]:
    """This package, what it needs, and what it can use."""
    yield Finding("python", "good", platform.python_version())
    yield Finding("eureka-loop", "good", metadata.version("eureka-loop"))
    for requirement in metadata.requires("eureka-loop") or ():
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        extra = re.search(r"extra\s*==\s*['\"](\w+)", requirement)
        if extra is None or extra[1] in ("robotics", "metaworld"):
            yield _package(name, extra[1] if extra else None)


def _package(name: str, extra: str | None) -> Finding:
    try:
        return Finding(name, "good", metadata.version(name))
    except metadata.PackageNotFoundError:
        if extra:
            return Finding(name, "note", "not installed", f"optional: pip install 'eureka-loop[{extra}]'")
        return Finding(name, "stop", "not installed", f"pip install {name}")
