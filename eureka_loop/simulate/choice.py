"""Which physics carries a batch: MuJoCo's threaded rollout where it gives what is asked, else a pool."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import mujoco
from mujoco.rollout import Rollout

from eureka_loop.envs.domain import Vectorised
from eureka_loop.simulate.physics import USUAL, Manner, Physics
from eureka_loop.simulate.pool import Pool
from eureka_loop.simulate.quantities import Raw, Slice
from eureka_loop.simulate.rollouts import Rollouts, Stepper, Straight, state_part
from eureka_loop.simulate.runge_kutta import Staged
from eureka_loop.simulate.sensed import with_sensors

PhysicsFactory = Callable[[Any, Iterable[Raw], int, int, Manner], Physics | None]
"""The env (unwrapped), the raw columns, how many copies, how many threads, what else the env does; None where
it can't."""


def manner_of(vectorised: Vectorised, env: Any) -> Manner:
    """What this env does to its simulation beside stepping it."""
    joints = [mujoco.mj_name2id(env.model, mujoco.mjtObj.mjOBJ_JOINT, name) for name in vectorised.held]
    return Manner(
        varied=vectorised.varied,
        held=tuple(env.model.jnt_qposadr[joints].tolist()),
        forward=vectorised.forward,
        steered=vectorised.applied is not None,
        wrenches=hasattr(_stepped(env), "do_simulation"),
    )


def fastest(env: Any, raws: Iterable[Raw], n_envs: int, threads: int, manner: Manner = USUAL) -> Physics:
    """Rollouts, or else a pool; where the solver doesn't converge, rollouts pay with several threads only."""
    raws = tuple(raws)
    if threads == 1 and env.model.opt.solver != mujoco.mjtSolver.mjSOL_NEWTON:
        return pool(env, raws, n_envs, threads, manner)
    return rollouts(env, raws, n_envs, threads, manner) or pool(env, raws, n_envs, threads, manner)


def pool(env: Any, raws: Iterable[Raw], n_envs: int, threads: int, manner: Manner = USUAL) -> Physics:
    """Bit for bit as the env."""
    return Pool(env.model, raws, n_envs, _frames(env), threads, manner)


def rollouts(
    env: Any, raws: Iterable[Raw], n_envs: int, threads: int, manner: Manner = USUAL
) -> Physics | None:
    """None where a column can't be read off the state or a sensor, or a step can't be repeated closely."""
    raws, model = tuple(raws), env.model
    if manner != USUAL or model.nmocap:
        return None
    beyond = [raw for raw in raws if not (state_part(raw, model) or _is_control(raw))]
    staged = model.opt.integrator == mujoco.mjtIntegrator.mjINT_RK4 and not model.na
    converges = model.opt.solver == mujoco.mjtSolver.mjSOL_NEWTON
    if not staged and (not converges or (beyond and model.opt.integrator == mujoco.mjtIntegrator.mjINT_RK4)):
        return None
    sensed = with_sensors(model, getattr(env, "fullpath", ""), beyond)
    if sensed is None:
        return None
    threaded = Rollout(nthread=threads if threads > 1 else 0)
    stepper: Stepper
    if staged and (beyond or not converges):
        whole = env.frame_skip - 1 if converges else 0
        stepper = Staged(threaded, model, sensed.model, n_envs, env.frame_skip, whole=whole)
    else:
        stepper = Straight(threaded, model, sensed.model, n_envs, env.frame_skip)
    return Rollouts(model, sensed, raws, n_envs, stepper, threaded)


def _frames(env: Any) -> int:
    """Physics steps in a control step."""
    inner = _stepped(env)
    return int(inner.frame_skip if hasattr(inner, "frame_skip") else inner.n_substeps)


def _stepped(env: Any) -> Any:
    """The env that steps the simulation: Gymnasium-Robotics' mazes have another env inside."""
    if hasattr(env, "frame_skip") or hasattr(env, "n_substeps"):
        return env
    return next(each for each in vars(env).values() if hasattr(each, "frame_skip"))


def _is_control(raw: Raw) -> bool:
    return isinstance(raw, Slice) and raw.field == "ctrl"
