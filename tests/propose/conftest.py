"""A small task to ask about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eureka_loop import files
from eureka_loop.propose.designer import Designer, Request
from eureka_loop.records import Reply, Task
from eureka_loop.reward.vocabulary import Vocabulary


def proposals(designer: Designer, request: Request) -> list[Reply]:
    """A whole generation, one call after the other."""
    return [designer.propose(request, sample) for sample in range(request.samples)]


@pytest.fixture
def ask() -> Callable[..., Request]:
    """Makes requests about a small cheetah."""
    vocabulary = files.read_json(Path(__file__).with_name("small_cheetah.json"), Vocabulary)
    task = Task(
        name="halfcheetah-run",
        env_id="HalfCheetah-v5",
        text="Make the half-cheetah run forward as fast as possible.",
        fitness="def fitness(forward_velocity):\n    return forward_velocity.mean()\n",
        human="def compute_reward(HAND_WRITTEN):\n    return {}\n",
    )

    def make(samples: int = 1, **changes: Any) -> Request:
        request = Request(task, vocabulary, "ppo", 0.99, 100_000, 0, samples, 0)
        return replace(request, **changes)

    return make
