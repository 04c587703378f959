"""Settings of a file that decide where keys and prompts go and what code runs: used after a yes."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from eureka_loop.config import RunConfig, TrainConfig
from eureka_loop.errors import BadInput
from eureka_loop.propose.llm.ledger import load_prices, price_of
from eureka_loop.propose.llm.settings import api_key, configured_model, configured_url, is_local
from eureka_loop.report.layout import print_lines, terminal
from eureka_loop.store import Run

TRUST = "--trust"


def confirm(config: RunConfig, given: TrainConfig, file: Path, *, trusted: bool) -> None:
    """Ask before settings that a file alone states are used, unless the file is trusted or was made here.

    Args:
        config: as it is going to be used.
        given: what the command line states.
        file: a run's folder, or a file of settings.
        trusted: whether the user has said yes already.

    Raises:
        BadInput: no, or nobody can be asked.
    """
    found = list(from_file(config, given))
    if not found or trusted or made_here(file):
        return
    if not sys.stdin.isatty():
        raise BadInput(
            f"{file} decides that {'; '.join(found)}: if that is what you want, give {TRUST}, "
            "or the same on the command line"
        )
    print_lines(f"{file} decides that", *(f"  {each}" for each in found), console=terminal(stderr=True))
    if not agreed("Go on? [y/N] "):
        raise BadInput(f"nothing was sent or run; give other settings on the command line, or {TRUST}")


def from_file(
    config: RunConfig, given: TrainConfig, environ: Mapping[str, str] = os.environ
) -> Iterator[str]:
    """Decisions on keys, money and safety that only the configuration states, not the user, a line each."""
    model, url = configured_model(config.model, environ), configured_url(config.base_url, environ)
    if "llm" in config.designers or (config.designer is None and model):
        if url != configured_url(getattr(given, "base_url", None), environ):
            key = api_key(url, environ)
            yield f"prompts go to {url}, with {f'the key in {key.name}' if key else 'no key'}"
        if model and model != configured_model(getattr(given, "model", None), environ):
            price = price_of(model, load_prices(environ))
            if price.usd(1, 1) if price else not is_local(url):
                each = f"${price.input:g} and ${price.output:g}" if price else "an unknown price"
                yield f"model {model} writes, for {each} a million tokens"
    yield from _places(config, given)
    own = {key: value for key, value in config.env_kwargs.items() if given.env_kwargs.get(key) != value}
    if not all(isinstance(value, bool | int | float) for value in own.values()):
        yield f"the environment is made with {own}, which may name files"
    if config.allow_reduced_sandbox and not given.allow_reduced_sandbox:
        yield "generated programs may run in a sandbox below strict"


def _places(config: RunConfig, given: TrainConfig) -> Iterator[str]:
    """Executor, folder, module and files that only the configuration names."""
    if config.executor not in ("local", given.executor):
        yield f"trainings, with the generated programs, go to executor {config.executor}"
    if config.out != given.out and not config.out.resolve().is_relative_to(Path.cwd()):
        yield f"runs are written to {config.out}"
    if config.fitness and config.fitness.endswith(".py") and config.fitness != given.fitness:
        yield f"file {config.fitness} is read, as the fitness"
    if config.env and ":" in config.env and config.env != getattr(given, "env", None):
        yield f"Python module {config.env.partition(':')[0]} is imported, for environment {config.env}"
    if config.env and config.env.endswith((".xml", ".mjb")) and config.env != getattr(given, "env", None):
        yield f"file {config.env} is opened, as the environment"


def made_here(file: Path) -> bool:
    """Whether this user has made a run's folder, or the one that a run.toml is in."""
    run = Run(file.parent if file.name == "run.toml" else file)
    return run.made_here


def agreed(question: str) -> bool:
    """No answer is a no."""
    return asked(question).lower() in ("y", "yes")


def asked(question: str) -> str:
    """The answer to a question on standard error; "" where none comes."""
    print(question, end="", file=sys.stderr, flush=True)
    with contextlib.suppress(EOFError):
        return input("").strip()
    return ""
