"""SAC with hindsight experience replay: goals that were reached later in an episode count as its goal.

Some of a sample's transitions get as goal what was achieved later in the same episode (strategy "future"), or
in the transition itself, and the reward that the program gives them then, in one call for all of them.

After Andrychowicz et al. 2017, "Hindsight Experience Replay", and SB3's `HerReplayBuffer`. Two differences:
transitions with their own goal are drawn as without hindsight, from the unfinished episode, too, so that with
`n_sampled_goal` 0 nothing changes; and the rest of an episode that is being overwritten is drawn.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from stable_baselines3.common.type_aliases import DictReplayBufferSamples

from eureka_loop.errors import RewardFailure
from eureka_loop.records import Array
from eureka_loop.simulate.hindsight import ACHIEVED, DESIRED, Hindsight
from eureka_loop.train.delayed_rewards import DelayedDictReplayBuffer, by_time

Places = npt.NDArray[np.intp]
Parts = dict[str, npt.NDArray[Any]]  # of an observation


class HindsightReplayBuffer(DelayedDictReplayBuffer):
    """Keeps, for every transition, the columns that its reward for another goal is computed from.

    That takes 8 bytes a number: 24 a transition where a reward asks for a distance in space, 8 · (nq + 3)
    where it asks for `qpos`, too. Memory is taken as the ring fills.

    Args:
        n_sampled_goal: transitions with another goal for each with its own.
        seed: of the transitions and goals drawn.
    """

    def __init__(
        self, *arguments: Any, hindsight: Hindsight, n_sampled_goal: int, seed: int, **named: Any
    ) -> None:
        super().__init__(*arguments, **named)
        self._hindsight, self._share = hindsight, 1.0 - 1.0 / (n_sampled_goal + 1)
        self._random = np.random.default_rng(seed)
        self._kept: dict[str, Array] = {}  # (buffer_size, n_envs, *shape) each
        # Of a finished episode's transitions: steps to its end, that one included.
        self._ahead = np.zeros((self.buffer_size, self.n_envs), np.int64)
        self._unfinished = np.zeros(self.n_envs, np.int64)  # steps of the episode that has not ended

    def add(self, *transition: Any) -> None:
        place, done = self.pos, transition[4]
        self._unfinished += 1
        super().add(*transition)
        for env in np.flatnonzero(done).tolist():
            back = np.arange(min(self._unfinished[env], self.buffer_size))
            self._ahead[(place - back) % self.buffer_size, env] = back + 1
            self._unfinished[env] = 0

    def compute_pending_rewards(self) -> None:
        places = self.pending_places()
        super().compute_pending_rewards()
        if not len(places):
            return
        for name in self._hindsight.kept:
            column = by_time(self.pending_rewards.columns[name], self.n_envs)
            if name not in self._kept:
                self._kept[name] = np.zeros((self.buffer_size, *column.shape[1:]))
            self._kept[name][places] = column

    def sample(self, batch_size: int, env: Any = None) -> Any:
        count = int(self._share * batch_size) if self.finished().any() else 0
        if not count:
            return super().sample(batch_size, env)
        others = self._with_another_goal(count, env)
        return _joined(super().sample(batch_size - count, env), others)

    def finished(self) -> npt.NDArray[np.int64]:
        """(n_envs,) number of stored transitions of finished episodes."""
        return np.maximum(self.size() - self._unfinished, 0)

    def draw(self, count: int) -> tuple[Places, Places, Places]:
        """Transitions of finished episodes, all equally likely, and for each the step that reached its goal.

        Returns:
            (count,) places, envs, and places of the same env at which the goal was reached: not before the
            transition, nor after its episode.
        """
        finished = self.finished()
        ends = np.cumsum(finished)
        chosen = self._random.integers(ends[-1], size=count)
        envs = np.searchsorted(ends, chosen, side="right")
        first = self.pos - self.size()
        places = (first + chosen - (ends - finished)[envs]) % self.buffer_size
        reached = (places + self._random.integers(self._ahead[places, envs])) % self.buffer_size
        return places, envs, reached

    def _with_another_goal(self, count: int, env: Any) -> DictReplayBufferSamples:
        places, envs, reached = self.draw(count)
        self.require_rewards(reached)
        goal = self._kept[ACHIEVED][reached, envs]
        chosen = places, envs
        dones = self.dones[chosen] * (1 - self.timeouts[chosen])
        rewards = self._normalize_reward(self._rewards(places, envs, goal).astype(np.float32), env)
        return DictReplayBufferSamples(
            self._observed(self.observations, chosen, goal, env),
            self.to_torch(self.actions[chosen]),
            self._observed(self.next_observations, chosen, goal, env),
            self.to_torch(dones.reshape(-1, 1)),
            self.to_torch(rewards.reshape(-1, 1)),
        )

    def _rewards(self, places: Places, envs: Places, goal: Array) -> Array:
        kept = {name: self._kept[name][places, envs] for name in self._hindsight.kept}
        try:
            return self.pending_rewards.relabel(self._hindsight.columns(kept, goal))
        except RewardFailure as failure:
            message = f"with a goal taken from what was reached: {failure}"
            raise RewardFailure(failure.kind, message, failure.detail) from failure

    def _observed(
        self, stored: Parts, chosen: tuple[Places, Places], goal: Array, env: Any
    ) -> dict[str, torch.Tensor]:
        """Observations as the policy would have had them, normalised."""
        observed = {name: part[chosen] for name, part in stored.items()}
        observed[DESIRED] = goal.reshape(observed[DESIRED].shape).astype(observed[DESIRED].dtype)
        normalized = cast("Parts", self._normalize_obs(observed, env))
        return {name: self.to_torch(part) for name, part in normalized.items()}


def _joined(one: DictReplayBufferSamples, other: DictReplayBufferSamples) -> DictReplayBufferSamples:
    def parts(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {name: torch.cat((first[name], second[name])) for name in first}

    return DictReplayBufferSamples(
        parts(one.observations, other.observations),
        torch.cat((one.actions, other.actions)),
        parts(one.next_observations, other.next_observations),
        torch.cat((one.dones, other.dones)),
        torch.cat((one.rewards, other.rewards)),
    )
