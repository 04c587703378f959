"""The designer of a run, from the configuration and the environment."""

from __future__ import annotations

from dataclasses import replace

from eureka_loop.config import RunConfig
from eureka_loop.errors import BadInput, DesignerError
from eureka_loop.propose.designer import DESIGNERS, Designer, Request
from eureka_loop.propose.llm.settings import check_url, configured_model, configured_url
from eureka_loop.records import Reply
from eureka_loop.store import Run


def settle(config: RunConfig) -> RunConfig:
    """The configuration with designer, model and endpoint decided, so that a resumed run has the same.

    Raises:
        BadInput: no key, no model, no recorded run, a limit that can't be kept.
        UnknownName: no such designer.
    """
    if config.base_url is not None:
        check_url(config.base_url)
    if config.replay is not None:
        if config.designer not in (None, "replay"):
            raise BadInput(f"--replay {config.replay} needs the replay designer, not {config.designer}")
        config = replace(config, designer="replay", replay=config.replay.resolve())
    if config.designer is None:
        config = replace(config, designer="llm" if configured_model(config.model) else "templates")
    check(config)
    if config.designer == "llm":
        model, url = configured_model(config.model), configured_url(config.base_url)
        config = replace(config, model=model, base_url=url)
    return config


def check(config: RunConfig, run: Run | None = None) -> None:
    """Refuse a configuration that its designer can't work with, before anything is made or changed.

    Raises:
        BadInput: no key, a limit that can't be kept, nothing to replay.
        UnknownName: no such designer.
    """
    DESIGNERS.load(config.designer or "templates")(config, run)


def choice(config: RunConfig) -> str:
    """One line on the designer that was chosen for the user."""
    if config.designer == "llm":
        return f"a model is configured: {config.model} writes the rewards"
    return "no model is configured: the embedded templates write (--model chooses one)"


def choose_designer(run: Run, config: RunConfig) -> Designer:
    """The designer of a run with a settled configuration."""
    given = run.folder / "given.py"
    if given.exists():
        return GivenDesigner(given.read_text(encoding="utf-8"))
    return DESIGNERS.load(config.designer or "templates")(config, run)


class GivenDesigner:
    """The user's own program (`eureka train REWARD.py`), treated like a generated one."""

    name = "given"

    def __init__(self, source: str) -> None:
        self._source = source

    def propose(self, request: Request, sample: int) -> Reply:
        if request.repair is not None:
            raise DesignerError("a given program is not repaired")
        return Reply(self._source, note="given")
