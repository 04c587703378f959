"""Environments of a person's own: where they keep MuJoCo's data, odd values that they return, their spaces."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gymnasium
import mujoco
import numpy as np
import pytest
from gymnasium import spaces

from eureka_loop.envs.registry import domains, find_domain, full_id, installed
from eureka_loop.errors import BadInput
from eureka_loop.records import Job, Task, Training
from eureka_loop.results import Trained
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.simulate.play import simulation
from eureka_loop.simulate.recorded import survey
from eureka_loop.train.base import support
from eureka_loop.train.floors import judge_floor
from eureka_loop.train.sb3 import train_job

CART = """<mujoco><option timestep="0.01"/><worldbody>
  <body name="cart" pos="0 0 .2"><joint name="slide" type="slide" axis="1 0 0" damping=".5"/><geom size=".1"/>
    <body name="pole"><joint name="hinge" axis="0 1 0"/><geom size=".05" pos="0 0 .6"/></body></body>
</worldbody><actuator><motor joint="slide" gear="10" ctrlrange="-3 3" ctrllimited="true"/></actuator></mujoco>"""


def box(*shape: int) -> spaces.Box:
    return spaces.Box(-np.inf, np.inf, shape, np.float64)


class Cart(gymnasium.Env[Any, Any]):
    """Returns what it is told to: functions of itself."""

    seen: Callable[[Any], Any] = staticmethod(lambda env: np.concatenate([env.data.qpos, env.data.qvel]))
    info: Callable[[Any], Any] = staticmethod(lambda env: {})
    reward: Callable[[Any], Any] = staticmethod(lambda env: 0.0)

    def __init__(self, space: Any = None, actions: Any = None, **told: Any) -> None:
        vars(self).update(told)
        self.data = mujoco.MjData(mujoco.MjModel.from_xml_string(CART))
        self.observation_space = space or box(4)
        self.action_space = actions or spaces.Box(-1.0, 1.0, (1,))
        self.steps, self.acted = 0, list[Any]()

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        mujoco.mj_resetData(self.data.model, self.data)
        self.steps = 0
        return self.seen(self), self.info(self)

    def step(self, action: Any) -> Any:
        assert self.action_space.contains(action), action
        self.steps += 1
        self.acted.append(action)
        self.data.ctrl[:] = np.ravel(action)[:1] if np.size(action) else 0.0
        mujoco.mj_step(self.data.model, self.data)
        return self.seen(self), self.reward(self), False, False, self.info(self)


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    gymnasium.register("Cart-v0", Cart, max_episode_steps=100)
    yield
    del gymnasium.registry["Cart-v0"]


def task(**arguments: Any) -> Task:
    return Task("t", "Cart-v0", "", "", env_kwargs=arguments)


def surveyed(**arguments: Any) -> Any:
    return survey(task(**arguments), find_domain("Cart-v0"), steps=200).vocabulary


@pytest.mark.parametrize("domain", domains(), ids=lambda domain: domain.env_id)
def test_a_short_id_means_what_gymnasium_makes_of_it(domain: Any) -> None:
    """Domains are of the latest versions; if one isn't any more, its short id must not mean it."""
    if domain.extra and not installed(domain.extra):
        pytest.skip(f"needs the extra {domain.extra}")
    make_env(Task("t", domain.env_id, "", "", env_kwargs=domain.tasks[0].env_kwargs)).close()  # registers it
    short = domain.env_id.rpartition("-v")[0] or domain.env_id
    assert full_id(short) == domain.env_id
    if "-v" in domain.env_id:
        with pytest.warns(UserWarning, match="latest versioned"):
            assert gymnasium.make(short, disable_env_checker=True).spec.id == domain.env_id  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("given", "full"),
    [
        ("gymnasium.envs.mujoco:HalfCheetah-v5", "HalfCheetah-v5"),
        ("gymnasium_robotics:FetchReachDense", "FetchReachDense-v4"),
        ("gymnasium_robotics:PointMaze_Large-v3", "gymnasium_robotics:PointMaze_Large-v3"),
        ("mine:HalfCheetah", "mine:HalfCheetah"),
        ("HalfCheetah-v4", "HalfCheetah-v4"),
        ("Mine", "Mine"),
    ],
)
def test_a_module_that_is_not_needed_is_left_out(given: str, full: str) -> None:
    assert full_id(given) == full


@pytest.mark.parametrize(
    "hide",
    [
        lambda data: {"mj_data": data, "mj_model": data.model},
        lambda data: {"physics": SimpleNamespace(model=1, data=SimpleNamespace(ptr=data))},
        lambda data: {"module": np, "type": Cart, "sim": SimpleNamespace(itself=None, _data=data)},
    ],
)
def test_mujocos_data_are_found_wherever_they_are(hide: Any) -> None:
    data = mujoco.MjData(mujoco.MjModel.from_xml_string(CART))
    env: Any = SimpleNamespace(unwrapped=SimpleNamespace(space=box(2), **hide(data)))
    assert simulation(env) is data
    assert simulation(SimpleNamespace(unwrapped=SimpleNamespace(a=1))) is None  # type: ignore[arg-type]


STILL = "at step 0 of an episode of random actions: it counts as 0 there"


@pytest.mark.parametrize(
    ("info", "name", "notes"),
    [
        (lambda env: {"d": None if env.steps == 0 else 1.0}, "info_d", [f"info['d'] is None {STILL}"]),
        (lambda env: {"d": np.nan if env.steps < 3 else 1.0}, "info_d", [f"info['d'] is nan {STILL}"]),
        (lambda env: {"d": np.inf}, None, ["info['d'] is never finite: left out"]),
        (
            lambda env: {"d": np.zeros(3 if env.steps < 10 else 2)},
            None,
            [
                "info['d'] changes its shape from (3,) to (2,) at step 10 of an episode of random actions: left out"
            ],
        ),
        (lambda env: {"a": 1.0, 5: 1.0}, "info_5", []),
        (lambda env: {"dist β": 1.0, "距離": 2.0}, "info_距離", []),
        (lambda env: {"a b": 1.0, "a-b": 2.0}, "info_a_b_1", []),
        (lambda env: {"🦿": 1.0}, "info_key", []),
        (lambda env: {"text": "x", "list": [object()], "empty": np.zeros(0), "none": None}, None, []),
    ],
)
def test_odd_values_of_info_are_named_and_never_reach_a_program(info: Any, name: Any, notes: Any) -> None:
    vocabulary = surveyed(info=info)
    assert list(vocabulary.notes) == notes
    names = [each for each in vocabulary.names() if each.startswith("info_")]
    assert name in names if name else not names
    assert all(np.isfinite(vocabulary.resolve(each).low).all() for each in names)


@pytest.mark.parametrize("reward", [None, np.nan, np.array([1.0]), "none"])
def test_an_env_without_a_reward_of_its_own_is_welcome(reward: Any) -> None:
    vocabulary = surveyed(reward=lambda env: reward)
    assert vocabulary.notes == ()
    assert vocabulary.resolve("native_reward", hidden=True).high == (
        float(np.size(reward) if np.ndim(reward) else 0),
    )


@pytest.mark.parametrize(
    ("seen", "problem"),
    [
        (lambda env: np.full(4, np.nan if env.steps == 7 else 0.0), "no finite number, at step 7"),
        (lambda env: np.zeros(4 if env.steps < 9 else 5), "5 numbers, not 4, at step 9"),
    ],
)
def test_an_observation_that_no_policy_can_take_is_named_with_its_step(seen: Any, problem: str) -> None:
    with pytest.raises(BadInput, match=rf"the env's observation has {problem} of an episode of random"):
        surveyed(seen=seen)


NESTED = spaces.Dict(a=spaces.Dict(q=box(2)), v=box(2))
PPO, SAC = Training("ppo", {"n_steps": 8, "batch_size": 8}, "sb3"), Training("sac", {}, "sb3")


@pytest.mark.parametrize(
    ("space", "seen", "size"),
    [
        (NESTED, lambda env: {"a": {"q": env.data.qpos.copy()}, "v": env.data.qvel.copy()}, 4),
        (spaces.Dict(h=box(), q=box(2)), lambda env: {"h": env.data.qpos[1], "q": env.data.qpos.copy()}, 3),
        (spaces.Tuple([box(2), box(2)]), lambda env: (env.data.qpos.copy(), env.data.qvel.copy()), 4),
        (spaces.MultiBinary(2), lambda env: (env.data.qpos > 0).astype(np.int8), 2),
        (spaces.Discrete(3), lambda env: 2, 3),
        (box(), lambda env: env.data.qpos[0], 1),
        (box(2, 2), lambda env: np.zeros((2, 2)), 4),
    ],
)
def test_any_observation_space_becomes_a_row_of_numbers(space: Any, seen: Any, size: int) -> None:
    vocabulary = surveyed(space=space, seen=seen)
    assert vocabulary.resolve("obs").shape == (size,)
    assert all("are taken as one row of" in note for note in vocabulary.notes)
    assert support(PPO, task(space=space, seen=seen), find_domain("Cart-v0")) == ""


FREE = spaces.Box(-np.inf, np.inf, (1,))
PARTLY = spaces.Box(np.array([-1, 2, -np.inf], np.float32), np.array([1, 2, 9], np.float32))


@pytest.mark.parametrize(
    ("actions", "low", "high"),
    [
        (FREE, [-3.0], [3.0]),  # the actuator's range
        (spaces.Box(-1e10, 5.0, (2,)), [-1.0, -1.0], [5.0, 5.0]),
        (spaces.Box(4.0, np.inf, (2,)), [4.0, 4.0], [6.0, 6.0]),
        (PARTLY, [-1.0, -1.0], [1.0, 9.0]),
        (spaces.Box(0.0, 2.0, (1,)), [0.0], [2.0]),
    ],
)
def test_actions_have_bounds_and_are_free(actions: Any, low: list[float], high: list[float]) -> None:
    env = make_env(task(actions=actions))
    assert isinstance(env.action_space, spaces.Box)
    assert (env.action_space.low.tolist(), env.action_space.high.tolist()) == (low, high)
    env.reset(seed=0)
    env.step(env.action_space.sample())
    for algorithm in (PPO, SAC):
        assert support(algorithm, task(actions=actions), find_domain("Cart-v0")) == ""


@pytest.mark.parametrize("actions", [spaces.Discrete(3), spaces.MultiDiscrete([3, 2]), spaces.MultiBinary(3)])
def test_actions_from_a_list_are_ppos(actions: Any) -> None:
    assert support(PPO, task(actions=actions), find_domain("Cart-v0")) == ""
    with pytest.raises(BadInput, match=r"sac has no actions .* give --algo ppo"):
        support(SAC, task(actions=actions), find_domain("Cart-v0"))


def test_actions_from_a_list_are_trained_and_have_floors(fork_server: ForkServer, tmp_path: Path) -> None:
    told = {"actions": spaces.Discrete(3), "max_episode_steps": 20}
    own = Task("t", "Cart-v0", "", "def fitness(action):\n    return action.mean()\n", env_kwargs=told)
    source = 'def compute_reward(action):\n    return {"two": 1.0 * (action[:, 0] == 2.0)}\n'
    settings = {"n_steps": 128, "batch_size": 128, "learning_rate": 0.02}
    job = Job("g0-00", 0, own, source, "ppo", 2000, settings, (1, 2), "sb3")
    domain = find_domain("Cart-v0")
    trained = train_job(job, domain, fork_server, tmp_path, lambda _: None)
    assert isinstance(trained, Trained)
    assert trained.fitness == 2.0, "it learns to choose the last"
    for floor, fitness in (("zero", 0.0), ("random", 1.0)):
        judged = judge_floor(replace(job, candidate=floor, steps=0), domain, fork_server)
        assert isinstance(judged, Trained)
        assert judged.fitness == pytest.approx(fitness, abs=0.4)


@pytest.mark.parametrize(
    ("space", "actions", "problem"),
    [
        (None, spaces.Box(1.0, 1.0, (2,)), "leave nothing to decide"),
        (None, spaces.Box(0.0, 1.0, (0,)), "leave nothing to decide"),
        (None, spaces.Discrete(1), "leave nothing to decide"),
        (None, spaces.Tuple([box(1)]), "can't be trained: wrap the env"),
        (spaces.Sequence(box(1)), None, "can't be made one row of at most 100,000 numbers: wrap the env"),
        (spaces.Discrete(10**9), None, "Discrete(1000000000) can't be made one row"),
        (spaces.Dict(a=spaces.Discrete(10**9)), None, "can't be made one row"),
        (box(400, 400), None, "can't be made one row"),
    ],
)
def test_spaces_that_no_policy_has_are_refused_at_the_look(space: Any, actions: Any, problem: str) -> None:
    with pytest.raises(BadInput, match=re.escape(problem)):
        surveyed(space=space, actions=actions, seen=lambda env: np.zeros(4) if space is None else ())


def test_the_memory_of_a_look_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eureka_loop.simulate.recorded.MOST_BYTES", 20_000_000)
    tracemalloc.start()
    found = surveyed(info=lambda env: {"wide": np.zeros(20_000), "too wide": np.zeros(200_000)})
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "info_wide" in found.names()
    assert "info_too_wide" not in found.names(hidden=True)
    assert most < 100_000_000


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("Körper", "左腿"), ("Körper_pos", "左腿_pos")),
        (("左.腿", "左-腿"), ("左_腿_pos", "左_腿_body_pos")),
        (("🦿", "..."), ("body1_pos", "body2_pos")),
        (("ﬁn", "²nd"), ("fin_pos", "body_2nd_pos")),
        (("पैर", "λ"), ("पैर_pos", "λ_pos")),
    ],
)
def test_names_in_any_script_stay_apart_and_readable(
    names: Any, expected: Any, toy: Any, domain_of: Any
) -> None:
    bodies = "".join(f'<body name="{name}"><joint/><geom size=".1"/></body>' for name in names)
    found = ObservableRegistry(
        toy(f"<mujoco><worldbody>{bodies}</worldbody></mujoco>"), domain_of()
    ).vocabulary
    assert {*expected} <= {*found.names()}
    assert all(name.isidentifier() for name in found.names())
    assert len({*found.names()}) == len(found.names())
