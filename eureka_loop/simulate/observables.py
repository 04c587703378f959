"""All observables of an env: the domain's own, and those of any MuJoCo env."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from graphlib import CycleError, TopologicalSorter
from typing import Any

import gymnasium
import mujoco
import numpy as np

from eureka_loop.envs.domain import Domain
from eureka_loop.errors import BadInput, UnknownName
from eureka_loop.records import Array, Task
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.simulate import naming, physics
from eureka_loop.simulate.definitions import (
    STEPS,
    Definition,
    Definitions,
    Raw,
    defined,
    element,
    running_sum,
    split,
    sum_of_stretch,
    time_since,
)
from eureka_loop.simulate.env import FirstStep, first_step, make_env, numbers_of, trimmed
from eureka_loop.simulate.step_buffer import StepBuffer

REWARD_KEYS = ("reward", "penalty", "cost")  # in the keys of `info` that hold parts of the env's own reward
GOAL_TEXTS = {"achieved_goal": "where the goal's object is now", "desired_goal": "where it should be"}
# What MuJoCo documents for the sensors of robots; other sensors have no unit here.
SENSOR_UNITS = {
    **dict.fromkeys(("touch", "force"), "N"),
    "torque": "N m",
    "accelerometer": "m/s^2",
    **dict.fromkeys(("velocimeter", "framelinvel", "subtreelinvel"), "m/s"),
    **dict.fromkeys(("gyro", "frameangvel"), "rad/s"),
    **dict.fromkeys(("rangefinder", "framepos", "subtreecom"), "m"),
}


class ObservableRegistry:
    """Every observable of an env by name.

    Making it resets the env and takes one step, to see what its `info` holds: reset the env (with the seed
    you want) before use.

    Attributes:
        definitions: name → how it is computed; the domain's own first, hidden ones last.
        vocabulary: the same as designers see it, without ranges.

    Raises:
        BadInput: the env isn't MuJoCo's, or a domain file's observable can't be computed.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], domain: Domain) -> None:
        first = first_step(env)
        self.model, horizon = first.pose.model, env.spec.max_episode_steps if env.spec else None
        own = [
            defined(
                each.name, each.unit, each.description, *each.needs,
                shape=each.shape, frame=each.frame, group=domain.name, function=each.function,
                hidden=each.hidden, origin=f"domain {domain.name!r} ({each.function.__module__})",
            )
            for each in domain.observables
        ]  # fmt: skip
        others = [*_of_env(env, first, horizon), *_of_state(self.model, first.dt)]
        names = Counter(each.name for each in (*own, *others))
        if clash := next((each for each in own if names[each.name] > 1), None):
            raise BadInput(f"{clash.origin}: {clash.name!r} is there already; give it another name")
        for each in (*others, *_of_elements(first.pose, set(names), first.dt)):
            if each.name.startswith(domain.left_out):
                each = replace(each, observable=replace(each.observable, hidden=True))
            own.append(each)
        # The domain's own first, then bodies and joints, then the state.
        own.sort(key=lambda each: (each.observable.hidden, not each.origin, each.observable.group == "state"))
        self.definitions: Definitions = {each.name: each for each in own}
        _check_needs(self.definitions)
        self.vocabulary = Vocabulary(
            env_id=env.spec.id if env.spec else type(env.unwrapped).__name__,
            observables=tuple(each.observable for each in own),
            constants=naming.constants(self.model, first.dt, lags=first.lags),
            horizon=horizon,
            dt=first.dt,
            documentation=trimmed(inspect.cleandoc(type(env.unwrapped).__doc__ or "")),
        )

    @classmethod
    def of_task(cls, task: Task, domain: Domain) -> ObservableRegistry:
        """Of a task's env, which is made for it (see `make_env`) and closed."""
        with closing(make_env(task)) as env:
            return cls(env, domain)

    def buffer(self, names: Iterable[str], n_envs: int) -> StepBuffer:
        """A buffer that records these parameters (`prev_` and `init_` allowed) of `n_envs` such envs.

        Raises:
            UnknownName: with the nearest names.
        """
        names = tuple(names)
        for name in names:
            self.vocabulary.resolve(name, hidden=True)
        return StepBuffer(self.definitions, names, n_envs, self.model)


def _check_needs(definitions: Definitions) -> None:
    """Refuse a domain's observable that needs a name that doesn't exist, or itself."""
    graph: dict[str, list[str]] = {}
    for each in definitions.values():
        for need in each.needs if each.origin else ():
            try:
                graph.setdefault(each.name, []).append(split(str(need), definitions)[1])
            except KeyError:
                unknown = UnknownName("observable", str(need), definitions)
                raise BadInput(f"{each.origin}: observable {each.name!r} needs an {unknown}") from None
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = " → ".join(error.args[1])
        raise BadInput(f"observables of the domain need each other in a circle: {circle}") from None


def _of_env(env: Any, first: FirstStep, horizon: int | None) -> Iterator[Definition]:
    """The step's arguments and results, a goal env's two goals, the clock, and numbers of `info`.

    The env's own reward and its parts are hidden.
    """
    define, dt = partial(defined, frame="", group="episode"), first.dt
    yield define(
        "obs", "", "the policy's observation, flattened", Raw("step", "obs", first.parts["obs"].shape)
    )
    text = "action applied in this step, as the env got it; prev_action is 0 at first"
    if not isinstance(env.action_space, gymnasium.spaces.Box):
        text = "number of what was chosen in this step, from 0 on; prev_action is 0 at first"
    yield define("action", "", text, Raw("step", "action", (int(np.prod(env.action_space.shape or ())),)))
    text = "1 where the env ended the episode itself (not by its time limit), else 0"
    yield define("terminated", "", text, Raw("step", "terminated"))
    yield define("dt", "s", "duration of a step", STEPS, function=lambda steps: np.full_like(steps, dt))
    yield define("time", "s", "since the episode's start", STEPS, function=lambda steps: steps * dt)
    if horizon is not None:
        text = "until the time limit cuts the episode off"
        yield define("time_left", "s", text, STEPS, function=lambda steps: (horizon - steps) * dt)
    for key, text in GOAL_TEXTS.items():
        if key in first.parts:
            yield defined(key, "", text, Raw("step", key, first.parts[key].shape), frame="", group="goal")
    text, reward = "the env's own reward", Raw("step", "reward")
    yield defined("native_reward", "", text, reward, frame="", group="native", hidden=True)
    merged = {
        key: numbers_of(value) for info in first.infos for key, value in info.items() if value is not None
    }
    taken = set[str]()
    for key, array in sorted(merged.items(), key=lambda item: str(item[0])):
        if array is None:
            continue
        given = all(info.get(key) is not None for info in first.infos)
        missing = "" if given else "; 0 where the env doesn't give it"
        name = f"info_{naming.identifier(str(key)) or 'key'}"
        name = name if name not in taken else f"{name}_{len(taken)}"
        taken.add(name)
        raw, hidden = Raw("info", key, array.shape), any(word in str(key) for word in REWARD_KEYS)
        text = ("part of the env's own reward" if hidden else f"the env's info[{key!r}]") + missing
        group = "native" if hidden else "info"
        yield defined(name, "", text, raw, frame="", group=group, hidden=hidden)


def _of_state(model: Any, dt: float) -> Iterator[Definition]:
    """The state as a whole, for what has no name of its own."""
    for name, size, text in (
        ("qpos", model.nq, "all joint positions, in the model's order (free and ball joints as quaternions)"),
        ("qvel", model.nv, "all joint velocities, in the model's order"),
        ("ctrl", model.nu, "control the actuators got"),
        ("actuator_force", model.nu, "force or torque of each actuator"),
    ):
        if size:
            yield defined(name, "", text, Raw("data", name, (size,)), frame="")
    yield defined("com_pos", "m", "centre of mass of everything", element("subtree_com", 0, 3))
    roots, share = model.body_rootid.copy(), model.body_mass / model.body_mass.sum()

    def com_velocity(cvel: Array, centres: Array, places: Array) -> Array:
        """Momentum over mass: MuJoCo computes `subtree_linvel` only for models with a sensor for it."""
        return np.asarray(
            np.einsum("b,nbi->ni", share, physics.point_velocity(cvel, centres[:, roots], places))
        )

    needs = [
        Raw("data", key, (model.nbody, size)) for key, size in (("cvel", 6), ("subtree_com", 3), ("xipos", 3))
    ]
    text = "velocity of the centre of mass of everything"
    yield defined("com_linvel", "m/s", text, *needs, shape=(3,), function=com_velocity)
    text = (
        "MuJoCo's external wrench on each body (world first): torque, then force, of contacts and connections"
    )
    yield defined("cfrc_ext", "N m, N", text, Raw("data", "cfrc_ext", (model.nbody, 6)))
    yield _air_time("air_time", "state", 0, dt, "anything last touched the ground")


def _air_time(name: str, group: str, body: int, dt: float, since: str) -> Definition:
    text = f"time since {since}, or since the episode's start; 0 while it touches, seen at each step's end"
    touches = Raw("contacts", "touch", (), body)
    return defined(name, "s", text, touches, frame="", group=group, accumulate=time_since(dt))


def _of_elements(pose: Any, taken: set[str], dt: float) -> Iterator[Definition]:
    """Of joints, bodies, sites, geoms and sensors, in the model's order; `taken` names are left alone."""
    for kind, index, make in _elements(pose, dt):
        for name in naming.identifiers(pose.model, kind, index):
            made = list(make(name))
            if taken.isdisjoint(each.name for each in made):
                break
        taken.update(each.name for each in made)
        yield from made


def _elements(pose: Any, dt: float) -> Iterator[tuple[str, int, Callable[[str], Iterator[Definition]]]]:
    """Kind, index in the model, and identifier → observables."""
    model = pose.model
    siblings = Counter(naming.family(name) for _, name in naming.joints(model))
    for joint, name in naming.joints(model):
        group = f"joints {naming.family(name)}" if siblings[naming.family(name)] > 1 else "joints"
        yield "joint", joint, partial(_joint, pose, joint, group)
    for body in range(1, model.nbody):  # the world body has none
        yield "body", body, partial(_body, model, body, dt)
    # Positions of named sites and geoms: a body's origin is often its joint, its geom the limb. No planes.
    for site in range(model.nsite):
        if model.site(site).name:
            yield "site", site, partial(_place, "site", site, "{}_pos", "position of site {}")
    for geom in np.flatnonzero(model.geom_type != mujoco.mjtGeom.mjGEOM_PLANE).tolist():
        if model.geom(geom).name:
            text = "position of the centre of geom {}"
            yield "geom", geom, partial(_place, "geom", geom, "{}_geom_pos", text)
    for sensor in range(model.nsensor):
        yield "sensor", sensor, partial(_sensor, model, sensor)


def _joint(pose: Any, joint: int, group: str, name: str) -> Iterator[Definition]:
    define, kind = partial(defined, group=group), pose.model.jnt_type[joint]
    qpos, qvel = int(pose.model.jnt_qposadr[joint]), int(pose.model.jnt_dofadr[joint])
    if kind == naming.BALL:
        text = (
            f"rotation vector (axis times angle, at most pi) of ball joint {name} from its rest orientation"
        )
        yield define(
            f"{name}_angle", "rad", text, Raw("data", "qpos", (4,), qpos),
            shape=(3,), frame="parent body", function=physics.rotation_vector,
        )  # fmt: skip
        text, velocity = f"angular velocity of ball joint {name}", Raw("data", "qvel", (3,), qvel)
        yield define(f"{name}_velocity", "rad/s", text, velocity, frame="child body")
        return
    sign, quantity, unit = naming.hinge_sign(pose, joint), "angle", "rad"
    if kind == naming.SLIDE:
        sign, quantity, unit = f"toward the world's {naming.direction(pose.xaxis[joint])}", "position", "m"
    text = f"of joint {name}; positive: {sign}"
    position, velocity = Raw("data", "qpos", (), qpos), Raw("data", "qvel", (), qvel)
    yield define(f"{name}_{quantity}", unit, f"{quantity} {text}", position, frame="joint")
    yield define(f"{name}_velocity", f"{unit}/s", f"velocity {text}", velocity, frame="joint")


def _body(model: Any, body: int, dt: float, name: str) -> Iterator[Definition]:
    define = partial(defined, group=name)
    place, text = element("xpos", body, 3), f"position of the origin of {naming.described(model, body, name)}"
    yield define(f"{name}_pos", "m", text, place)
    yield define(f"{name}_quat", "", f"orientation of {name} (w, x, y, z)", element("xquat", body, 4))
    for axis, suffix in ((2, "up"), (0, "forward"), (1, "left")):
        text = f"unit vector: {name}'s own {'xyz'[axis]} axis, as it points in the world"
        column = partial(np.take, indices=axis, axis=2)
        xmat = element("xmat", body, 3, 3)
        yield define(f"{name}_{suffix}", "", text, xmat, shape=(3,), function=column)
    if moves := not physics.static_bodies(model)[body]:
        centre = element("subtree_com", int(model.body_rootid[body]), 3)
        needs, text = (element("cvel", body, 6), centre, place), f"velocity of the origin of {name}"
        yield define(f"{name}_linvel", "m/s", text, *needs, shape=(3,), function=physics.point_velocity)
        text = f"angular velocity of {name}, right-handed about the world's axes"
        yield define(f"{name}_angvel", "rad/s", text, Raw("data", "cvel", (3,), 6 * body))
        yield from _turns(name)
        if model.body_parentid[body] == 0:
            yield from _flights(name)
    if physics.collides(model, body):
        text = f"net force of all contacts on {name}, at the step's end"
        yield define(f"{name}_contact_force", "N", text, Raw("contacts", "net", (3,), body))
    if physics.collides(model, body) and moves:
        text = f"force on {name} from the ground and other fixed geoms only, at the step's end"
        ground = Raw("contacts", "ground", (3,), body)
        yield define(f"{name}_ground_force", "N", f"{text}; +z pushes it up", ground)
        yield _air_time(f"{name}_air_time", name, body, dt, f"{name} last touched the ground")


def _turns(name: str) -> Iterator[Definition]:
    define = partial(defined, group=name, accumulate=running_sum)
    quats, axes = (f"prev_{name}_quat", f"{name}_quat"), (f"prev_{name}_forward", f"{name}_forward")
    text = (
        f"angle {name} has turned about the world's x, y, z axes since the episode's start, unwrapped: "
        "a full turn adds 2 pi, turning back takes it off; right-handed, so +z is to the left seen from above"
    )
    yield define(f"{name}_turn", "rad", text, *quats, shape=(3,), function=_turned)
    text = (
        f"how far {name} has turned to the left, seen from above, since the episode's start, unwrapped: "
        "a full turn adds 2 pi; negative: to the right; somersaults don't count"
    )
    yield define(f"{name}_yaw_total", "rad", text, *quats, *axes, function=physics.yaw_change)


def _flights(name: str) -> Iterator[Definition]:
    """Turn and movement of a body since anything last touched the ground."""

    def in_flight(change: Callable[[Array, Array], Array]) -> Callable[[Array, Array, Array], Array]:
        return lambda before, after, touch: np.where(touch[:, None] > 0.0, np.nan, change(before, after))

    define = partial(defined, group=name, shape=(3,), accumulate=sum_of_stretch)
    touches = Raw("contacts", "touch", (), 0)
    since = "since anything last touched the ground, or since the episode's start; 0 while anything touches"
    text = f"angle {name} has turned about the world's x, y, z axes {since}; unwrapped, right-handed"
    quats = f"prev_{name}_quat", f"{name}_quat"
    yield define(f"{name}_flight_turn", "rad", text, *quats, touches, function=in_flight(_turned))
    text = f"way that {name} has moved {since}: {name}_pos less its value at the last contact"
    places = f"prev_{name}_pos", f"{name}_pos"
    moved = in_flight(lambda before, after: after - before)
    yield define(f"{name}_flight_move", "m", text, *places, touches, function=moved)


def _turned(before: Array, after: Array) -> Array:
    """(N, 3) rotation vectors from orientations (N, 4) to others."""
    return physics.rotation_vector(physics.turn_between(before, after))


def _place(kind: str, index: int, pattern: str, text: str, name: str) -> Iterator[Definition]:
    place = element(f"{kind}_xpos", index, 3)
    yield defined(pattern.format(name), "m", text.format(name), place, group=f"{kind}s")


def _sensor(model: Any, sensor: int, name: str) -> Iterator[Definition]:
    start, width = int(model.sensor_adr[sensor]), int(model.sensor_dim[sensor])
    kind = mujoco.mjtSensor(model.sensor_type[sensor]).name.removeprefix("mjSENS_").lower()
    raw = Raw("data", "sensordata", () if width == 1 else (width,), start)
    unit, text = SENSOR_UNITS.get(kind, ""), f"the model's {kind} sensor {name}"
    yield defined(f"sensor_{name}", unit, text, raw, frame="", group="sensors")
