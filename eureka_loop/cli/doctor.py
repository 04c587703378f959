"""`eureka doctor`: findings about this machine, each lack with its remedy. It only looks."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal, NamedTuple

from rich.text import Text

from eureka_loop import numbers, text
from eureka_loop.errors import EurekaError, SandboxError
from eureka_loop.execute import machine
from eureka_loop.execute.local import run_python
from eureka_loop.options import parse
from eureka_loop.propose.llm.settings import KEYS, configured_model
from eureka_loop.report.layout import facts, section, show, terminal
from eureka_loop.reward.sandbox import lock
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.lock import Layer
from eureka_loop.reward.sandbox.status import OVERRIDE, measure

ENDPOINT_SECONDS = 5.0
State = Literal["good", "note", "lack", "stop"]
RUN_BYTES = 1e9  # free space below which a run may not end
MARKS = {"good": ("✓", "green"), "note": ("·", "dim"), "lack": ("!", "yellow"), "stop": ("✗", "red")}
DRAW = "from eureka_loop.simulate.play import PROBE; exec(PROBE)"
GL = {  # backend → its package
    "egl": "a graphics driver with EGL, or Mesa's: apt-get install libegl1 libgl1",
    "osmesa": "Mesa's off-screen library: apt-get install libosmesa6",
}
NO_LANDLOCK = (
    "Linux 5.13 or later, with `landlock` in /sys/kernel/security/lsm (boot option lsm=landlock,…); "
    "in a container the seccomp profile must allow the landlock calls, as newer Dockers' default does"
)
NO_LAYER = "the kernel or the container refuses it: try outside the container, or with its default profile"


class Finding(NamedTuple):
    """One property of the machine."""

    name: str
    state: State  # stop: no run starts like this
    value: str
    remedy: str = ""  # shown unless the state is good


@dataclass(frozen=True)
class DoctorOptions:
    """Check this machine: sandbox, devices, disk, endpoint, rendering, packages."""

    out: Path = Path("runs")
    """Where run folders would go."""


def doctor(arguments: list[str]) -> int:
    """Look at the machine; 1 where no run can start."""
    return 0 if print_doctor(examine(parse(DoctorOptions, "doctor", arguments).out)) else 1


def examine(runs: Path, environ: Mapping[str, str] = os.environ) -> dict[str, Iterator[Finding]]:
    """Findings of every section by title, made when they are read: some take seconds."""
    return {
        "sandbox": sandbox(), "devices": devices(), "disk": disk(runs), "endpoint": endpoint(environ),
        "rendering": rendering(), "packages": packages(),
    }  # fmt: skip


def sandbox() -> Iterator[Finding]:
    """Tier, kernel, layers, and every attempt of the self-test."""
    try:
        with ForkServer() as fork_server:
            status = measure(fork_server)
    except SandboxError as error:
        yield Finding("tier", "stop", "none: no locked process can be started", str(error))
        return
    refusal = "" if status.strict else ": a run refuses to start"
    remedy = f"see the layers below; {OVERRIDE} runs generated code all the same"
    yield Finding("tier", "stop" if refusal else "good", f"{status.tier}{refusal}", remedy)
    yield Finding("kernel", "note", f"{platform.system()} {platform.release()}, {platform.machine()}")
    for layer in Layer:
        name, landlock = (layer.name or "").lower(), layer is Layer.LANDLOCK
        if layer in status.held:
            yield Finding(name, "good", f"on, kernel ABI {status.landlock_abi}" if landlock else "on")
        elif layer is Layer.IDENTITY:
            yield Finding(name, "note", "off: not root, so there is no identity to drop")
        else:
            unknown = landlock and not lock.landlock_abi()
            yield Finding(name, "stop", "off", NO_LANDLOCK if unknown else NO_LAYER)
    refused = [name.replace("_", " ") for name, held in status.refused.items() if held]
    yield Finding("self-test", "good", f"{len(refused)} forbidden things refused: {', '.join(refused)}")
    for name in (name for name, held in status.refused.items() if not held):
        yield Finding(name.replace("_", " "), "stop", "a locked process could")


def devices() -> Iterator[Finding]:
    """Cores and memory that this process may use, and GPUs."""
    here = machine.look()
    yield Finding("cores", "good", f"{here.cores}: up to {numbers.plural(here.workers, 'worker')}")
    value = f"{here.memory / 1e9:.1f} GB available; a run stays within {here.usable / 1e9:.1f} GB"
    state: State = "good" if here.workers == here.cores else "lack"
    yield Finding("memory", state, value, "free some: for more workers")
    query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        output = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True).stdout
    except FileNotFoundError:
        output = "none found; none is needed"
    except (OSError, subprocess.SubprocessError) as error:
        output = f"nvidia-smi fails ({type(error).__name__})"
    yield from (Finding("GPU", "note", line) for line in output.splitlines())


def disk(runs: Path) -> Iterator[Finding]:
    """The folder for runs, or the nearest one above it that exists."""
    there = next(path for path in (runs.absolute(), *runs.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free
    state: State = "good" if free >= RUN_BYTES else "lack"
    remedy = "free some, or choose another --out"
    yield Finding("free space", state, f"{free / 1e9:.1f} GB for {runs}", remedy)
    if not os.access(there, os.W_OK):
        yield Finding("writable", "stop", f"{there} can't be written", "choose another --out")


def endpoint(environ: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """The language model, where one is configured; a key is never shown."""
    from eureka_loop.propose.llm.endpoint import Endpoint  # httpx2 takes a while to import

    model = configured_model(None, environ)
    if model is None and not any(environ.get(name) for name in ("OPENAI_BASE_URL", *KEYS)):
        remedy = "for a language model: EUREKA_MODEL, and a key or OPENAI_BASE_URL"
        yield Finding("model", "note", "none configured: the embedded templates write the rewards", remedy)
        return
    remedy = "" if model else "set EUREKA_MODEL, or give --model"
    yield Finding("model", "note" if model else "lack", model or "none chosen", remedy)
    try:
        connected = Endpoint(None, environ, ENDPOINT_SECONDS, ENDPOINT_SECONDS)
        url, offered = connected.url, connected.listing()
    except EurekaError as error:
        yield Finding("endpoint", "lack", "can't be used", str(error))
        return
    if isinstance(offered, EurekaError):
        yield Finding("endpoint", "lack", f"{url} can't be reached, or lists no models", str(offered))
        return
    state: State = "good"
    value = f"{url} offers {numbers.plural(len(offered), 'model')}"
    if not offered:
        value, state, remedy = f"{url} lists no models", "note", "give the model's name with --model"
    elif model is not None and model not in offered and not connected.azure:
        state, remedy = "lack", f"it has no {model!r}: choose another --model"
    yield Finding("endpoint", state, value, remedy)


def rendering() -> Iterator[Finding]:
    """Whether MuJoCo can draw without a screen; each backend in a process of its own, both at once."""
    with ThreadPoolExecutor() as pool:  # a minute for mujoco's import from a cold disk
        errors = list(pool.map(_draw, GL))
    for name, error in zip(GL, errors, strict=True):
        remedy = f"for videos: {GL[name]}" if all(errors) else ""
        value = f"doesn't draw ({error})" if error else "draws"
        yield Finding(name, "good" if not error else "lack" if remedy else "note", value, remedy)


def _draw(backend: str) -> str:
    return run_python(["-c", DRAW], seconds=60.0, MUJOCO_GL=backend, PYOPENGL_PLATFORM=backend)


def packages() -> Iterator[Finding]:
    """This package, its requirements and its optional ones."""
    yield Finding("python", "good", platform.python_version())
    yield Finding("eureka-loop", "good", metadata.version("eureka-loop"))
    for requirement in metadata.requires("eureka-loop") or ():
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        found = re.search(r"extra\s*==\s*['\"](\w+)", requirement)
        extra = found[1] if found else ""
        if extra not in ("", "robotics", "metaworld"):
            continue
        try:
            yield Finding(name, "good", metadata.version(name))
        except metadata.PackageNotFoundError:
            remedy = f"optional: pip install 'eureka-loop[{extra}]'" if extra else f"pip install {name}"
            yield Finding(name, "note" if extra else "stop", "not installed", remedy)


def print_doctor(sections: Mapping[str, Iterable[Finding]]) -> bool:
    """Show every section as soon as it is there; returns whether a run can start."""
    console, stops = terminal(), 0
    for title, findings in sections.items():
        pairs: list[tuple[str, Text]] = []
        for name, state, value, remedy in findings:
            mark, style = MARKS[state]
            pairs.append((name, Text.assemble((f"{mark} ", style), text.one_line(value))))
            pairs += [("", Text(f"  → {text.one_line(remedy)}"))] if remedy and state != "good" else []
            stops += state == "stop"
        show(section(title, facts(pairs)), console)
    verdict = f"No run starts like this: {numbers.plural(stops, 'thing')} marked ✗."
    console.print(Text(f"\n{verdict if stops else 'Runs can start here.'}", "bold red" if stops else "bold"))
    return not stops
