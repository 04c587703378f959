"""Which designer writes, from the configuration and the environment."""

from __future__ import annotations

from dataclasses import replace

from eureka_loop import files
from eureka_loop.config import RunConfig
from eureka_loop.errors import BadInput
from eureka_loop.propose.designer import Designer
from eureka_loop.propose.given import GivenDesigner
from eureka_loop.propose.llm.designer import LLMDesigner
from eureka_loop.propose.llm.ledger import Ledger
from eureka_loop.propose.llm.prices import Prices
from eureka_loop.propose.llm.settings import LLMSettings, configured_model, configured_url
from eureka_loop.propose.replay import ReplayDesigner
from eureka_loop.propose.templates.designer import TemplatesDesigner
from eureka_loop.records import Usage
from eureka_loop.store import Run


def settle(config: RunConfig) -> RunConfig:
    """The configuration with its designer, model and endpoint decided, so that a resumed run has the same.

    Raises:
        BadInput: no key, no model, no recorded run, a limit that can't be kept.
    """
    settings = _settings(config)
    if config.replay is not None and config.designer not in (None, "replay"):
        raise BadInput(f"--replay {config.replay} needs the replay designer, not {config.designer}")
    if config.replay is not None:
        config = replace(config, designer=config.designer or "replay", replay=config.replay.resolve())
    if config.designer is None:
        if configured_model(settings) is None:
            return replace(config, designer="templates")
        config = replace(config, designer="llm")
    if config.designer == "llm":
        designer = _llm(config)
        designer.close()
        return replace(config, model=designer.model, base_url=configured_url(settings))
    if config.designer == "replay":
        _replay(config).check(config)
    return config


def check_resumed(run: Run, config: RunConfig) -> None:
    """Whether a run can go on with this configuration, before anything of it is changed.

    Raises:
        BadInput: no key, a limit that can't be kept.
    """
    if config.designer == "llm":
        _llm(config, run).close()


def said(config: RunConfig) -> str:
    """One line on who writes, for a user who didn't say."""
    if config.designer == "llm":
        return f"a model is configured: {config.model} writes the rewards"
    return "no model is configured: the embedded templates write (--model chooses one)"


def choose_designer(run: Run, config: RunConfig) -> Designer:
    """The designer of a run whose configuration is settled."""
    given = run.folder / "given.py"
    if given.exists():
        return GivenDesigner(given.read_text(encoding="utf-8"))
    if config.designer == "llm":
        return _llm(config, run)
    return _replay(config) if config.designer == "replay" else TemplatesDesigner()


def _settings(config: RunConfig) -> LLMSettings:
    return LLMSettings(
        model=config.model,
        base_url=config.base_url,
        temperature=config.temperature,
        max_tokens=config.max_completion_tokens,
    )


def _llm(config: RunConfig, run: Run | None = None) -> LLMDesigner:
    """The designer that asks a model. With a run, each call's cost is an event before the next counts."""

    def record(spent: Usage) -> None:
        if run is not None:
            run.event("spent", **files.plain(spent))

    ledger = Ledger(Prices.load(), max_usd=config.max_usd, max_tokens=config.max_tokens, record=record)
    if run is not None:
        ledger.restore(spent_before(run))
    return LLMDesigner(_settings(config), ledger)


def spent_before(run: Run) -> Usage:
    """What the run's earlier lives spent, from its events."""
    spent = [event for event in run.events() if event["event"] == "spent"]
    if not spent:
        return Usage(usd=0.0)
    return Usage(spent[-1]["prompt_tokens"], spent[-1]["completion_tokens"], spent[-1]["usd"])


def _replay(config: RunConfig) -> ReplayDesigner:
    if config.replay is None:
        raise BadInput("the replay designer needs a recorded run: --replay RUN")
    return ReplayDesigner(config.replay)
