"""Which physics carries a batch: MuJoCo's threaded rollout where it gives what is asked, else a pool."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal

import mujoco
from mujoco.rollout import Rollout

from eureka_loop.envs.domain import Vectorised
from eureka_loop.simulate.physics import USUAL, Manner, Physics
from eureka_loop.simulate.pool import Pool
from eureka_loop.simulate.quantities import Raw, Slice
from eureka_loop.simulate.rollouts import Rollouts, Stepper, Straight, state_part
from eureka_loop.simulate.runge_kutta import Staged
from eureka_loop.simulate.sensed import with_sensors
from eureka_loop.simulate.sensors import plan_of

PhysicsFactory = Callable[[Any, Iterable[Raw], int, int, Manner], Physics | None]
"""The env (unwrapped), the raw columns, how many copies, how many threads, what else the env does; None where
it can't."""

Way = Literal["pool", "straight", "split", "staged"]
"""How a control step is computed. Batches that go one way move alike, bit for bit, whatever they record."""


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
    if way_of(env, raws, threads, manner) == "pool":
        return pool(env, raws, n_envs, threads, manner)
    return rollouts(env, raws, n_envs, threads, manner) or pool(env, raws, n_envs, threads, manner)


def way_of(env: Any, raws: Iterable[Raw], threads: int = 1, manner: Manner = USUAL) -> Way:
    """Which way these columns make a batch go, where the model's file is there to put sensors into."""
    return "pool" if threads == 1 and not _converges(env.model) else _rolled(env, raws, manner)


def pool(env: Any, raws: Iterable[Raw], n_envs: int, threads: int, manner: Manner = USUAL) -> Physics:
    """Bit for bit as the env."""
    return Pool(env.model, raws, n_envs, _frames(env), threads, manner)


def rollouts(
    env: Any, raws: Iterable[Raw], n_envs: int, threads: int, manner: Manner = USUAL
) -> Physics | None:
    """None where a column can't be read off the state or a sensor, or a step can't be repeated closely."""
    raws, model = tuple(raws), env.model
    way = _rolled(env, raws, manner)
    if way == "pool":
        return None
    sensed = with_sensors(model, getattr(env, "fullpath", ""), _beyond(raws, model))
    if sensed is None:
        return None
    threaded = Rollout(nthread=threads if threads > 1 else 0)
    stepper: Stepper
    if way == "staged":
        whole = env.frame_skip - 1 if _converges(model) else 0
        stepper = Staged(threaded, model, sensed.model, n_envs, env.frame_skip, whole=whole)
    else:
        stepper = Straight(threaded, model, sensed.model, n_envs, env.frame_skip)
    return Rollouts(model, sensed, raws, n_envs, stepper, threaded)


def _rolled(env: Any, raws: Iterable[Raw], manner: Manner) -> Way:
    """The way of MuJoCo's rollout; a pool's where a column or what the env does needs it."""
    model = env.model
    beyond, converges = _beyond(raws, model), _converges(model)
    runge_kutta = model.opt.integrator == mujoco.mjtIntegrator.mjINT_RK4
    staged = runge_kutta and not model.na
    if manner != USUAL or model.nmocap or any(plan_of(raw, model) is None for raw in beyond):
        return "pool"
    if not staged and (not converges or (beyond and runge_kutta)):
        return "pool"
    if staged and (beyond or not converges):
        return "staged"
    return "split" if beyond and _frames(env) > 1 else "straight"


def _beyond(raws: Iterable[Raw], model: Any) -> list[Raw]:
    """Columns that a sensor has to give."""
    return [raw for raw in raws if not (state_part(raw, model) or _is_control(raw))]


def _converges(model: Any) -> bool:
    """Whether the solver's result doesn't depend on its first guess."""
    return bool(model.opt.solver == mujoco.mjtSolver.mjSOL_NEWTON)


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
