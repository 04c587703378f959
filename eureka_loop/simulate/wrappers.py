"""Gymnasium environments with the reward of a file, for any RL library; see docs/export.md."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.vector import SyncVectorEnv, VectorEnv, VectorWrapper

from eureka_loop import files
from eureka_loop.envs.registry import find_domain
from eureka_loop.errors import BadInput, SandboxError
from eureka_loop.records import Array
from eureka_loop.reward.contract import is_diagnostic
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.lock import tier
from eureka_loop.reward.sandbox.process import Terms
from eureka_loop.reward.unlocked import UnlockedProgram
from eureka_loop.simulate.env import Env
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.simulate.recorded import RecordedEnv
from eureka_loop.simulate.step_buffer import StepBuffer


class RewardFunction:
    """The reward program of a file, for environments like `env`. Close it, or close what it was wrapped in.

    Args:
        file: text with `def compute_reward(...)`.
        env: its observables are those that the program may name, hidden ones included.
        trusted: run it in this process, without lock and deadline: for your own files.
        rows: most rows of a call.

    Attributes:
        program: source, parameters, weights.

    Raises:
        BadInput: the file can't be read, or the env is none of MuJoCo's.
        Refused: with every problem of the program.
        RewardFailure: it doesn't load.
        SandboxError: this machine can't lock a process, or not strictly.
    """

    def __init__(self, file: str | Path, env: Env, *, trusted: bool = False, rows: int = 1) -> None:
        source = files.read_text(Path(file), BadInput)
        self._observables = _observables(env)
        vocabulary = self._observables.vocabulary
        self.program = check(source, vocabulary, hidden=True)
        with ExitStack() as opened:
            if trusted:
                self._running: Any = UnlockedProgram(self.program)
            else:
                server = opened.enter_context(ForkServer())
                shapes = vocabulary.shapes(self.program.parameters, hidden=True)
                self._running = server.start(self.program, shapes, rows=rows)
                opened.callback(self._running.close)
                if (found := tier(server.held)) != "strict":
                    raise SandboxError(
                        f"the sandbox is {found!r} here, not 'strict': `eureka doctor` shows a remedy; with "
                        "trusted=True a file of your own runs in this process"
                    )
            self._opened = opened.pop_all()

    def __call__(self, columns: Mapping[str, Array]) -> Terms:
        """The terms of every row: names, `values` (K, N), `total` (N,).

        Args:
            columns: parameter → (N, *shape).

        Raises:
            RewardFailure: the program failed.
        """
        terms: Terms = self._running.evaluate(columns)
        return terms

    def buffer(self, n_envs: int) -> StepBuffer:
        """A recorder of the columns of `n_envs` environments."""
        return self._observables.buffer(self.program.parameters, n_envs)

    def close(self) -> None:
        """End its process; may be called again."""
        self._opened.close()


class RewardEnv(RecordedEnv):
    """An environment whose reward is a program's.

    `info["reward_terms"]` holds the terms, whose sum is the reward; `info["reward_diagnostics"]` what the
    program only logs.
    """

    def __init__(self, env: Env, reward: RewardFunction) -> None:
        super().__init__(env, reward.buffer(1))
        self.reward_function = reward

    def step(self, action: Any) -> Any:
        obs, _, terminated, truncated, info = super().step(action)
        terms = self.reward_function(self.buffer.take().columns)
        found = {name: float(values[0]) for name, values in terms.named().items()}
        return obs, float(terms.total[0]), terminated, truncated, {**info, **_in_two(found)}

    def close(self) -> None:
        self.reward_function.close()
        super().close()


class RewardVectorEnv(VectorWrapper):
    """Environments whose rewards are a program's, all computed in one call a step.

    `infos` as Gymnasium's own: the same two dicts, of arrays (num_envs,), each with the mask of the
    environments that have stepped; others were reset, and have reward 0.
    """

    def __init__(self, envs: VectorEnv[Any, Any, Any], reward: RewardFunction) -> None:
        super().__init__(envs)
        self.reward_function, self._buffer = reward, reward.buffer(envs.num_envs)
        inner: Any = envs.unwrapped
        inner.envs[:] = [RecordedEnv(env, self._buffer, index) for index, env in enumerate(inner.envs)]

    def step(self, actions: Any) -> Any:
        obs, _, terminated, truncated, infos = self.env.step(actions)
        taken, rewards = self._buffer.take(), np.zeros(self.num_envs)
        if len(taken):
            at, terms = taken.env_index, self.reward_function(taken.columns)
            stepped, values = np.zeros(self.num_envs, bool), np.zeros((len(terms.names), self.num_envs))
            stepped[at], values[:, at], rewards[at] = True, terms.values, terms.total
            for key, part in _in_two(dict(zip(terms.names, values, strict=True))).items():
                infos[f"_{key}"] = stepped
                infos[key] = part | {f"_{name}": stepped for name in part}
        return obs, rewards, terminated, truncated, infos

    def close(self, **arguments: Any) -> None:
        self.reward_function.close()
        super().close(**arguments)


def wrap(env: Env, reward: str | Path, *, trusted: bool = False) -> RewardEnv:
    """The environment with the reward of a file.

    It sees observations and actions as `env` gives and takes them: wrap `gymnasium.make(...)` itself, and put
    other wrappers around it.

    Args:
        trusted: run the file in this process, which is faster; by default in a locked one of its own.

    Raises: as `RewardFunction`.
    """
    return RewardEnv(env, RewardFunction(reward, env, trusted=trusted))


def wrap_vec(envs: VectorEnv[Any, Any, Any], reward: str | Path, *, trusted: bool = False) -> RewardVectorEnv:
    """The environments of a `SyncVectorEnv` with the reward of a file, evaluated once a step for all.

    Raises:
        BadInput: also for other vector environments.
    """
    inner = envs.unwrapped
    if not isinstance(inner, SyncVectorEnv):
        raise BadInput(
            f"wrap_vec takes a SyncVectorEnv, not {type(inner).__name__}, whose environments are out of "
            "reach; wrap each where it is made: "
            "gymnasium.make_vec(..., wrappers=[partial(wrap, reward=FILE)])"
        )
    function = RewardFunction(reward, inner.envs[0], trusted=trusted, rows=inner.num_envs)
    return RewardVectorEnv(envs, function)


def _observables(env: Env) -> ObservableRegistry:
    """Of an env, whose stream of random numbers goes on afterwards as if nothing had been looked at."""
    inner = env.unwrapped
    generator = inner.np_random
    found = ObservableRegistry(env, find_domain(env.spec.id if env.spec else ""))
    inner.np_random = generator
    return found


def _in_two(named: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Terms apart from diagnostics, which are left out where there are none."""
    logged = {name: value for name, value in named.items() if is_diagnostic(name)}
    found = {"reward_terms": {name: value for name, value in named.items() if name not in logged}}
    return found | ({"reward_diagnostics": logged} if logged else {})
