"""Meta-World's envs, reset as Gymnasium's are: a seed given to `reset` decides what is drawn."""

from __future__ import annotations

from typing import Any

import gymnasium


class Seeded(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Draws goal and objects anew at every reset, from the env's own generator.

    By itself a Meta-World env ignores the seed given to `reset`, keeps the first goal that it drew, and says
    of its observation that the goal in it is hidden.
    """

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        inner: Any = env.unwrapped
        inner._freeze_rand_vec, inner.seeded_rand_vec = False, True
        self.observation_space = inner.sawyer_observation_space

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        inner: Any = self.unwrapped
        if seed is not None:
            inner.seed(seed)
        return self.env.reset(seed=seed, options=options)
