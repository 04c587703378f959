"""SAC with hindsight experience replay: goals that were reached later in an episode count as its goal.

Four of five transitions of a sample get as goal what was achieved later in the same episode (strategy
"future"), and the reward that the program gives them then, in one call for all of them.

After Andrychowicz et al. 2017, "Hindsight Experience Replay". Bookkeeping and sampling are those of SB3's
`HerReplayBuffer`; only the rewards are ours.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from stable_baselines3 import HerReplayBuffer
from stable_baselines3.common.buffers import DictReplayBuffer
from stable_baselines3.common.type_aliases import DictReplayBufferSamples

from eureka_loop.errors import RewardFailure
from eureka_loop.records import Array
from eureka_loop.simulate.hindsight import DESIRED, Hindsight
from eureka_loop.train.delayed_rewards import DelayedReplay, by_time

Places = npt.NDArray[np.intp]


class HindsightReplayBuffer(DelayedReplay, HerReplayBuffer):
    """Keeps, for every transition, the columns that its reward for another goal is computed from.

    That takes 8 bytes a number: 24 a transition where a reward asks for a distance in space, 8 · (nq + 3)
    where it asks for `qpos`, too. Memory is taken as the ring fills.
    """

    def __init__(self, *arguments: Any, hindsight: Hindsight, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._hindsight = hindsight
        self._kept: dict[str, Array] = {}  # (buffer_size, n_envs, *shape) each

    def compute_pending_rewards(self) -> None:
        places = self.pending_places()
        super().compute_pending_rewards()
        for name in self._hindsight.kept if len(places) else ():
            column = by_time(self.pending_rewards.columns[name], self.n_envs)
            if name not in self._kept:
                self._kept[name] = np.zeros((self.buffer_size, *column.shape[1:]))
            self._kept[name][places] = column

    def sample(self, batch_size: int, env: Any = None) -> Any:
        """As plain SAC's, where no goals are to be sampled and before an episode has ended."""
        if self.her_ratio == 0 or not self.ep_length.any():
            return DictReplayBuffer.sample(self, batch_size, env)
        return super().sample(batch_size, env)

    def _get_real_samples(self, batch_indices: Places, env_indices: Places, env: Any = None) -> Any:
        self.require_rewards(batch_indices)
        return super()._get_real_samples(batch_indices, env_indices, env)

    def _get_virtual_samples(self, batch_indices: Places, env_indices: Places, env: Any = None) -> Any:
        """Transitions with another goal, and its reward."""
        real = self._get_real_samples(batch_indices, env_indices, env)
        chosen, goal = (batch_indices, env_indices), self._sample_goals(batch_indices, env_indices)
        rewards = self._normalize_reward(self._rewards(chosen, goal).astype(np.float32), env)
        seen = {name: part[chosen] for name, part in self.observations.items()} | {DESIRED: goal}
        desired = {DESIRED: self.to_torch(self._normalize_obs(seen, env)[DESIRED])}
        return DictReplayBufferSamples(
            {**real.observations, **desired},
            real.actions,
            {**real.next_observations, **desired},
            real.dones,
            self.to_torch(rewards.reshape(-1, 1)),
        )

    def _rewards(self, chosen: tuple[Places, Places], goal: Array) -> Array:
        kept = {name: column[chosen] for name, column in self._kept.items()}
        try:
            return self.pending_rewards.relabel(self._hindsight.columns(kept, goal.reshape(len(goal), -1)))
        except RewardFailure as failure:
            message = f"with a goal taken from what was reached: {failure}"
            raise RewardFailure(failure.kind, message, failure.detail) from failure
