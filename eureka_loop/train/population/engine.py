"""PPO of K learners on one batch of envs; where the rewards come from is the caller's business.

Nothing is ever summed over learners, and each has its own generator: what becomes of one is the same, to the
last bit, whoever else is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from stable_baselines3 import PPO

from eureka_loop.records import Array
from eureka_loop.simulate.batched import BatchedEnvs
from eureka_loop.train.hyperparameters import Settings
from eureka_loop.train.population.acting import Actors, Floats, ObservationScales
from eureka_loop.train.population.group import Group, LearnerState, Losses, Rules
from eureka_loop.train.population.layout import CPU
from eureka_loop.train.population.loss import Rates
from eureka_loop.train.population.minibatches import (
    ADVANTAGE,
    RETURN,
    VALUE,
    Fields,
    Indices,
    Rows,
    Shuffler,
)
from eureka_loop.train.population.models import first_state
from eureka_loop.train.population.returns import RewardScales, advantages
from eureka_loop.train.population.rollout import Collector, Rollout

# On a CPU; another device takes everybody at once.
AT_A_TIME = 8_000_000  # bytes of parameters, gradients and moments: more in one call gains nothing
MOST = 32  # learners in one call, however small


class Population:
    """
    Args:
        models: SB3's, one a learner, just made, with the same hyperparameters and each its own seed.
        envs: for each learner `options.n_envs`, learner by learner.

    Attributes:
        observations, rewards: each learner's running statistics.
        rules: of all.
    """

    def __init__(self, models: Sequence[PPO], options: Settings, envs: BatchedEnvs) -> None:
        model, learners, n = models[0], len(models), options.n_envs
        self._model, self.rules = model, Rules.of(model, options.device)
        layout = self.rules.layout
        self._fields = fields = Fields(layout.inputs, layout.actions)
        self._shuffler = Shuffler(
            fields,
            model.n_steps,
            n,
            model.batch_size,
            normalize_advantage=model.normalize_advantage,
            device=layout.device,
        )
        self._rows = Rows(learners, n, model.n_steps, fields, layout.device)
        scaled = options.normalize_observation
        self.observations = ObservationScales(learners, layout.inputs, enabled=scaled)
        self.rewards = RewardScales(learners, n, model.gamma, enabled=options.normalize_reward)
        self._actors = Actors(layout, self.rules.activation, learners, n)
        self._collector = Collector(envs, self._actors, self.observations, fields, self._rows.here)
        self._random = [np.random.default_rng(each.seed) for each in models]
        self._regroup({place: first_state(each, layout) for place, each in enumerate(models)})

    @property
    def alive(self) -> list[int]:
        """Places of those still learning."""
        return [place for group in self._groups for place in group.members.tolist()]

    def collect(self) -> Rollout:
        """A rollout of every learner; those that were dropped stand still."""
        shape = (self._model.n_steps, self._rows.here.shape[1], self._fields.actions)
        noise = [random.standard_normal(shape, dtype=np.float32) for random in self._random]
        return self._collector.collect(np.stack(noise, axis=1))

    def learn(self, rewards: Array, rollout: Rollout, progress_remaining: float) -> dict[int, Losses]:
        """Update everyone still learning.

        Args:
            rewards: (K, n, T), of the last rollout.
            progress_remaining: of the training, from 1 to 0, for the schedules.

        Returns:
            By place, what SB3 logs.
        """
        rows = self._rows.there
        self._rows.send(slice(None))
        earned = self.rewards.scale(rewards, rollout.done).astype(np.float32)
        rates = _rates(self._model, progress_remaining)
        found: dict[int, Losses] = {}
        with torch.inference_mode():
            for group in self._groups:
                group.evaluate(rows)
                self._add_bootstraps(group, rollout, earned)
            self._look_back(earned, rollout)
            for group in self._groups:
                losses = group.learn(rows, self._orders(group.members), rates)
                found |= dict(zip(group.members.tolist(), losses, strict=True))
        self._lead()
        return {
            place: {**each, "explained_variance": self._explained(place)} for place, each in found.items()
        }

    def diverged(self) -> list[int]:
        """Places of those whose parameters or observations are not finite."""
        sound = self.observations.finite()
        lost = {each for group in self._groups for each in group.members[~group.finite()].tolist()}
        return [place for place in self.alive if place in lost or not sound[place]]

    def drop(self, places: Iterable[int]) -> None:
        """These learn no more; some may have left before. The others don't notice."""
        gone = set(places) & set(self.alive)
        if gone:
            states = self.states()
            self._regroup({place: state for place, state in states.items() if place not in gone})

    def states(self) -> dict[int, LearnerState]:
        """Copies, by place, of those still learning."""
        return {
            place: group.state(index)
            for group in self._groups
            for index, place in enumerate(group.members.tolist())
        }

    def snapshots(self) -> dict[int, dict[str, Any]]:
        """All that is needed to go on, of those still learning; their envs are the caller's."""
        return {
            place: {
                "learner": state.snapshot(),
                "random": self._random[place].bit_generator.state,
                "observations": self.observations.snapshot(place),
                "rewards": self.rewards.snapshot(place),
                "seen": self._collector.seen(place),
            }
            for place, state in self.states().items()
        }

    def restore(self, snapshots: Sequence[Mapping[str, Any]]) -> None:
        """Have every learner go on where another stood that had taken as many steps."""
        for place, each in enumerate(snapshots):
            self._random[place].bit_generator.state = each["random"]
            self.observations.restore(place, each["observations"])
            self.rewards.restore(place, each["rewards"])
            self._collector.show(place, each["seen"])
        self._regroup({place: LearnerState.of(each["learner"]) for place, each in enumerate(snapshots)})

    def _regroup(self, states: Mapping[int, LearnerState]) -> None:
        places = np.array(sorted(states), np.intp)
        each = 16 * sum(prod(shape) for shape in self.rules.layout.sections)  # bytes
        most = min(MOST, max(1, AT_A_TIME // each)) if self.rules.layout.device == CPU else len(states)
        count = -(-len(places) // most) if states else 0
        self._groups = [
            Group(self.rules, self._shuffler, part, [states[place] for place in part.tolist()])
            for part in (np.array_split(places, count) if count else [])
        ]
        self._actors.clear()
        self._lead()

    def _lead(self) -> None:
        """Have the actors follow the newest policies."""
        for group in self._groups:
            self._actors.copy(group.members, group.sections)

    def _add_bootstraps(self, group: Group, rollout: Rollout, rewards: Floats) -> None:
        """Where a time limit ended an episode, the discounted value of where it stood."""
        for index, place in enumerate(group.members.tolist()):
            cuts = [cut for cut in rollout.cuts if cut.learner == place]
            if cuts:
                seen = torch.from_numpy(np.stack([cut.observation for cut in cuts]))
                for cut, value in zip(cuts, group.values(index, seen).tolist(), strict=True):
                    rewards[place, cut.env, cut.step] += np.float32(self._model.gamma * value)

    def _look_back(self, rewards: Floats, rollout: Rollout) -> None:
        """Fill in advantages and returns."""
        fields, model, here = self._fields, self._model, self._rows.here
        self._rows.fetch(slice(fields.extra(VALUE), fields.extra(VALUE) + 1))
        values = here[..., fields.extra(VALUE)]
        found = advantages(rewards, values, rollout.done, model.gamma, model.gae_lambda)
        here[:, :, :-1, fields.extra(ADVANTAGE)] = found
        here[:, :, :-1, fields.extra(RETURN)] = found + values[..., :-1]
        self._rows.send(slice(fields.extra(ADVANTAGE), fields.extra(RETURN) + 1))

    def _orders(self, members: Indices) -> list[npt.NDArray[np.int64]]:
        """All of an update's permutations at once, so that a learner that stops early draws as many."""
        samples, epochs = self._shuffler.samples, self._model.n_epochs
        drawn = [[self._random[place].permutation(samples) for _ in range(epochs)] for place in members]
        return [np.stack(each) for each in zip(*drawn, strict=True)]

    def _explained(self, place: int) -> float:
        rows, fields = self._rows.here[place, :, :-1], self._fields
        returns = rows[..., fields.extra(RETURN)]
        left = float(np.var(returns - rows[..., fields.extra(VALUE)]))
        return 1.0 - left / max(float(np.var(returns)), 1e-38)


def _rates(model: PPO, progress: float) -> Rates:
    """What the schedules say now."""
    clip, clip_vf = model.clip_range, model.clip_range_vf
    assert callable(clip)
    clip_value = clip_vf(progress) if callable(clip_vf) else None
    return Rates(model.lr_schedule(progress), clip(progress), clip_value)
