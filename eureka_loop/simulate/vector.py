"""Several envs side by side for SB3, their rewards 0, every step recorded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from stable_baselines3.common.env_util import is_wrapped
from stable_baselines3.common.vec_env.base_vec_env import VecEnv, VecEnvIndices, VecEnvObs, VecEnvStepReturn
from stable_baselines3.common.vec_env.util import dict_to_obs, obs_space_info

from eureka_loop.envs.domain import Domain
from eureka_loop.records import Task
from eureka_loop.seeds import env_seeds
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.instruments import Instruments


class RecordedVecEnv(VecEnv):
    """Behaves as SB3's DummyVecEnv, without its deep copies: an env's info is handed on as it is.

    Attributes:
        recorder: holds every reset and step until it is taken.
        vocabulary: of these envs, without ranges.
    """

    def __init__(self, task: Task, domain: Domain, names: Iterable[str], n_envs: int, seed: int) -> None:
        """`names` are the parameters to record. Each env's first reset is seeded by `env_seeds`.

        Raises:
            BadInput: the env can't be made, or a name doesn't exist.
        """
        self.envs = [make_env(task) for _ in range(n_envs)]
        instruments = Instruments(self.envs[0], domain)
        self.vocabulary = instruments.vocabulary
        self.recorder = instruments.recorder(names, n_envs)
        super().__init__(n_envs, self.envs[0].observation_space, self.envs[0].action_space)
        self._keys, shapes, dtypes = obs_space_info(self.observation_space)
        self._obs = {key: np.zeros((n_envs, *shapes[key]), dtypes[key]) for key in self._keys}
        self._actions: Any = None
        self.seed(seed)

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Seed each env's next reset; SB3's class would give env 100 the seed of another training's first."""
        if seed is None:
            return super().seed()
        self._seeds = list(env_seeds(seed, self.num_envs))
        return self._seeds

    def reset(self) -> VecEnvObs:
        for i, env in enumerate(self.envs):
            options = {"options": self._options[i]} if self._options[i] else {}
            obs, self.reset_infos[i] = env.reset(seed=self._seeds[i], **options)
            self.recorder.reset(i, env, obs, self.reset_infos[i])
            self._keep(i, obs)
        self._reset_seeds()
        self._reset_options()
        return self._observations()

    def step_async(self, actions: Any) -> None:
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        dones = np.zeros(self.num_envs, bool)
        infos: list[dict[str, Any]] = []
        for i, env in enumerate(self.envs):
            obs, reward, terminated, truncated, info = env.step(self._actions[i])
            self.recorder.step(i, env, obs, self._actions[i], reward, terminated, truncated, info)
            info["TimeLimit.truncated"] = truncated and not terminated
            if terminated or truncated:
                dones[i] = True
                info["terminal_observation"] = obs
                obs, self.reset_infos[i] = env.reset()
                self.recorder.reset(i, env, obs, self.reset_infos[i])
            self._keep(i, obs)
            infos.append(info)
        return self._observations(), np.zeros(self.num_envs, np.float32), dones, infos

    def close(self) -> None:
        for env in self.envs:
            env.close()

    def get_images(self) -> Sequence[Any]:
        return [env.render() for env in self.envs]

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        return [env.get_wrapper_attr(attr_name) for env in self._chosen(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        for env in self._chosen(indices):
            setattr(env, attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **method_kwargs: Any
    ) -> list[Any]:
        return [
            env.get_wrapper_attr(method_name)(*method_args, **method_kwargs) for env in self._chosen(indices)
        ]

    def env_is_wrapped(self, wrapper_class: Any, indices: VecEnvIndices = None) -> list[bool]:
        return [is_wrapped(env, wrapper_class) for env in self._chosen(indices)]

    def _keep(self, i: int, obs: Any) -> None:
        for key in self._keys:
            self._obs[key][i] = obs if key is None else obs[key]

    def _observations(self) -> VecEnvObs:
        return dict_to_obs(self.observation_space, {key: array.copy() for key, array in self._obs.items()})

    def _chosen(self, indices: VecEnvIndices) -> list[Any]:
        return [self.envs[i] for i in self._get_indices(indices)]
