"""README.md beside an exported policy: task, figures, settings, versions, how to use it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from eureka_loop import numbers, seeds, text
from eureka_loop.foreign import unconfirmed
from eureka_loop.judge.statistics import bootstrap_interval
from eureka_loop.provenance import NOT_HERE
from eureka_loop.report.pages import escaped, fenced
from eureka_loop.report.sections import UNCONFIRMED
from eureka_loop.results import SUCCESS, Evaluated, Trained
from eureka_loop.store import Run

FEWEST = 4  # trainings, for an interval
USE = """\
```python
import gymnasium, numpy, onnxruntime

policy = onnxruntime.InferenceSession("policy.onnx")
env = {make}
obs, info = env.reset(seed=0)
flat = {flat}
(action,) = policy.run(None, {{"observation": flat[None].astype(numpy.float64)}})
obs, _, terminated, truncated, info = env.step(action[0])
```

`policy.onnx` takes observations as the environment gives them, (N, {observations}) float64, normalises them
itself, and gives the mean action, (N, {actions}) float32, within the environment's bounds.
`policy.safetensors` holds the same numbers: weights and biases by the layer's place, `mean` and `var` of
observations, `low` and `high` of actions; its metadata names the layers, and the constants of normalisation.
"""


def model_card(run: Run, id: str, policy: Path, arrays: Mapping[str, Any]) -> str:
    """The card's text.

    Args:
        policy: folder of the training that the policy is from.
        arrays: of policy.npz.
    """
    seed = int(policy.name.removeprefix("seed-"))
    evaluated = run.evaluated(id, report=seeds.is_report(seed))
    return "\n".join(_lines(run, id, seed, evaluated, arrays)) + "\n"


def _lines(run: Run, id: str, seed: int, evaluated: Evaluated, arrays: Mapping[str, Any]) -> Iterator[str]:
    task, training = run.task(), run.training()
    own = next(each for each in evaluated.trained if each.seed == seed)
    yield from (f"# {escaped(task.name)}, policy of {text.label(id)}", "", escaped(task.text), "")
    yield "Licence: *state yours here*."
    yield from ("", "## Figures", "")
    kind = "report" if seeds.is_report(seed) else "search"
    note = f" ({NOT_HERE})" if seed in evaluated.elsewhere else ""
    yield f"- This policy, seed {seed}: {_episodes(own)}{note}"
    values = [each.fitness for each in evaluated.trained]
    spread = ""
    if len(values) >= FEWEST:
        found = bootstrap_interval(np.array(values), rng=np.random.default_rng(0))
        ends = ", ".join(numbers.column([found.low, found.high]))
        spread = f", interquartile mean {numbers.number(found.value)}, 95% interval [{ends}]"
    seen = ", ".join(numbers.column(values))
    if evaluated.elsewhere:
        spread += f" ({len(evaluated.elsewhere)} of them {NOT_HERE})"
    yield f"- The same training with {numbers.plural(len(values), f'{kind} seed')}: fitness {seen}{spread}"
    for label, floor in run.floors().items():
        yield f"- {label}: {_episodes(floor)}"
    if unconfirmed(run.config, task, here=run.made_here):
        yield from ("", UNCONFIRMED)
    yield from ("", "The fitness, more is better:", "", fenced(task.fitness))
    yield from ("", "## Training", "")
    yield f"- Environment {escaped(task.env_id)}, arguments {escaped(json.dumps(dict(task.env_kwargs)))}"
    yield f"- {training.algorithm.upper()}, {own.steps:,} steps, trainer {escaped(training.trainer)}"
    yield f"- Settings {escaped(json.dumps(dict(training.hyperparameters)))}"
    made_by = ", ".join(f"{key} {value}" for key, value in run.record("made_by").items())
    yield f"- Made by {escaped(made_by)}"
    yield from ("", "The reward:", "", fenced(run.candidate(id).source))
    yield from ("", "## Use", "")
    keys = arrays["keys"].tolist()
    parts = ", ".join(f'numpy.ravel(obs["{key}"])' for key in keys)
    arguments = "".join(f", {name}={value!r}" for name, value in task.env_kwargs.items())
    yield USE.format(
        make=f"gymnasium.make({task.env_id!r}{arguments})",
        flat=f"numpy.concatenate([{parts}])" if keys else "numpy.ravel(obs)",
        observations=arrays["0.weight"].shape[1],
        actions=arrays["low"].size,
    )


def _episodes(trained: Trained) -> str:
    """Mean, lowest and highest of judged episodes, and the rate of success."""
    values = [each.fitness for each in trained.episodes]
    ends = " … ".join(numbers.column([min(values), max(values)]))
    found = (
        f"fitness {numbers.number(fmean(values))} ({ends}), {numbers.plural(len(values), 'judged episode')}"
    )
    success = trained.score(SUCCESS)
    return found if success is None else f"{found}, success {success:.0%}"
