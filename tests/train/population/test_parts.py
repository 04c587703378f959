"""A training in parts is the training: whatever it is broken off for, and in whichever company it goes on."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from eureka_loop.envs.registry import find_domain
from eureka_loop.errors import BadInput, RunError
from eureka_loop.records import SNAPSHOT, Job
from eureka_loop.results import Failed, Trained
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.simulate.env import make_env
from eureka_loop.train.population.cohorts import train_cohort

MakeJob = Callable[..., Job]
Train = Callable[[Sequence[Job], str], list[Trained | Failed]]

# What each asks for is remembered somewhere else: the row before, the episode's start, a tracker, contacts.
PROGRAMS = {
    "hopper-hop": (
        "def compute_reward(qpos, prev_qpos, init_qpos, time_left):\n"
        "    return {'go': 50.0 * (qpos - prev_qpos)[:, 0], 'far': (qpos - init_qpos)[:, 0] + 0.0 * time_left}\n",
        "def compute_reward(air_time, torso_turn, foot_contact_force, prev_foot_contact_force, prev_action):\n"
        "    impact = np.abs(foot_contact_force - prev_foot_contact_force).sum(axis=1)\n"
        "    effort = -0.1 * np.square(prev_action).sum(axis=1)\n"
        "    return {'air': air_time, 'turn': torso_turn[:, 1], 'soft': -0.01 * impact, 'effort': effort}\n",
        "def compute_reward(forward_velocity, *, k=1.0):\n    return {'speed': k * forward_velocity}\n",
    ),
    "humanoid-run": (
        "def compute_reward(com_pos, prev_com_pos, torso_contact_force, prev_torso_contact_force):\n"
        "    touch = np.abs(torso_contact_force - prev_torso_contact_force).sum(axis=1)\n"
        "    return {'go': 9.0 * (com_pos - prev_com_pos)[:, 0], 'touch': -touch}\n",
        "def compute_reward(torso_air_time, left_foot_contact_force, prev_left_foot_contact_force,\n"
        "                   right_foot_contact_force, prev_right_foot_contact_force):\n"
        "    left = np.abs(left_foot_contact_force - prev_left_foot_contact_force).sum(axis=1)\n"
        "    right = np.abs(right_foot_contact_force - prev_right_foot_contact_force).sum(axis=1)\n"
        "    return {'air': torso_air_time, 'left': -1e-3 * left, 'right': -1e-3 * right}\n",
        "def compute_reward(action, *, k=1.0):\n    return {'effort': -k * np.square(action).sum(axis=1)}\n",
    ),
}
STEPS = 6 * 128


@pytest.fixture
def train(fork_server: ForkServer, tmp_path: Path) -> Train:
    """Train jobs in folders name/candidate."""

    def run(jobs: Sequence[Job], name: str) -> list[Trained | Failed]:
        folders = [tmp_path / name / job.candidate for job in jobs]
        domain = find_domain(jobs[0].task.env_id)
        return train_cohort(jobs, domain, fork_server, folders, lambda place, line: None)

    return run


def jobs_of(make_job: MakeJob, task: str = "hopper-hop", **fields: Any) -> list[Job]:
    """A program each. Episodes neither end with a rollout nor with a part."""
    given = {"limit": 45, "steps": STEPS, "checkpoints": 4, "judge_seeds": (10, 11), **fields}
    return [
        replace(make_job(task, source=source, seed=3 + place, **given), candidate=str(place))
        for place, source in enumerate(PROGRAMS[task])
    ]


def until(jobs: Sequence[Job], step: int | None, before: str = "") -> list[Job]:
    after = {job.candidate: f"../../{before}/{job.candidate}" if before else "" for job in jobs}
    return [replace(job, until=step, after=after[job.candidate]) for job in jobs]


def without_clock(result: Trained | Failed) -> Trained:
    assert isinstance(result, Trained), result
    return replace(result, seconds=0.0)


def learned(folder: Path) -> dict[str, torch.Tensor]:
    """Parameters, and Adam's moments."""
    model = PPO.load(folder / "policy.zip")
    moments = {
        f"{place} {name}": value
        for place, state in model.policy.optimizer.state.items()
        for name, value in state.items()
    }
    return {**model.policy.state_dict(), **{str(at): each for at, each in enumerate(moments.values())}}


def assert_same(one: Path, other: Path, task: Any) -> None:
    mine, theirs = learned(one), learned(other)
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    envs = DummyVecEnv([lambda: make_env(task)] * 2)
    scales = [VecNormalize.load(str(each / "vecnormalize.pkl"), envs) for each in (one, other)]
    for name in ("obs_rms", "ret_rms"):
        first, second = (vars(each).get(name) for each in scales)
        if first is None and name == "obs_rms":
            continue  # not normalised
        assert first.count == second.count
        assert (first.mean == second.mean).all()
        assert (first.var == second.var).all()


@pytest.mark.parametrize("task", PROGRAMS)
def test_in_parts_as_in_one(task: str, make_job: MakeJob, train: Train, tmp_path: Path) -> None:
    """Three parts; after each a learner leaves."""
    jobs = jobs_of(make_job, task)
    whole = train(jobs, "whole")
    train(until(jobs, 200), "first")
    middle = train(until(jobs[:2], 500, "first"), "second")
    (last,) = train(until(jobs[1:2], None, "second"), "last")
    assert without_clock(last) == without_clock(whole[1])
    assert_same(tmp_path / "last" / "1", tmp_path / "whole" / "1", jobs[0].task)
    assert [without_clock(each).steps for each in middle] == [512, 512]
    assert not (tmp_path / "last" / "1" / SNAPSHOT).exists()


def test_in_parts_among_others_as_alone(make_job: MakeJob, train: Train, tmp_path: Path) -> None:
    """What others ask for makes their envs step in another way; on the next rung they are gone."""
    jobs = jobs_of(make_job)
    train(jobs[2:], "alone")
    train(until(jobs, 200), "first")
    train(until(jobs[1:], 500, "first"), "second")
    train(until(jobs[2:], None, "second"), "last")
    assert_same(tmp_path / "last" / "2", tmp_path / "alone" / "2", jobs[0].task)


@pytest.mark.parametrize(
    "more",
    [
        {"target_kl": 1e-3, "clip_range_vf": 0.2, "learning_rate": "lin_1e-3", "clip_range": "lin_0.2"},
        {"normalize_observation": False, "normalize_reward": False, "n_envs": 1},
    ],
    ids=["schedules, and updates that stop", "no normalisation, one env"],
)
def test_every_setting_goes_on(more: dict[str, Any], make_job: MakeJob, train: Train, tmp_path: Path) -> None:
    jobs = jobs_of(make_job, hyperparameters=more)
    whole = train(jobs, "whole")
    train(until(jobs, 300), "first")
    rest = train(until(jobs, None, "first"), "last")
    for place, (one, other) in enumerate(zip(rest, whole, strict=True)):
        assert without_clock(one) == without_clock(other)
        assert_same(tmp_path / "last" / str(place), tmp_path / "whole" / str(place), jobs[0].task)


def test_curves_go_on(make_job: MakeJob, train: Train, tmp_path: Path) -> None:
    jobs = jobs_of(make_job)
    train(jobs, "whole")
    train(until(jobs, 300), "first")
    train(until(jobs, None, "first"), "last")
    for name in ("terms/go", "train/loss", "episodes/fitness"):
        one, other = (
            [(point.step, point.value) for point in curve(tmp_path / side / "0", name)]
            for side in ("last", "whole")
        )
        assert one == other
        assert len(one) > 3


def curve(folder: Path, name: str) -> list[Any]:
    found: list[Any] = EventAccumulator(str(folder)).Reload().Scalars(name)
    return found


def test_time_adds_up(make_job: MakeJob, train: Train) -> None:
    jobs = jobs_of(make_job)[:1]
    (first,) = train(until(jobs, 500), "first")
    (last,) = train(until(jobs, None, "first"), "last")
    assert isinstance(first, Trained)
    assert isinstance(last, Trained)
    assert last.seconds > first.seconds > 0


def test_a_part_that_adds_nothing_is_judged_again(make_job: MakeJob, train: Train) -> None:
    """Both ends fall into one rollout."""
    jobs = jobs_of(make_job)[:1]
    first = train(until(jobs, 200), "first")
    again = train(until(jobs, 240, "first"), "again")
    assert [without_clock(each) for each in again] == [without_clock(each) for each in first]


def test_a_training_shorter_than_a_rollout_goes_on(make_job: MakeJob, train: Train, tmp_path: Path) -> None:
    """Its first part overshoots the whole: nothing is left to train, and the last part is judged all the same."""
    jobs = jobs_of(make_job, steps=100)
    whole = train(jobs, "whole")
    train(until(jobs, 33), "first")
    rest = train(until(jobs, None, "first"), "last")
    assert [without_clock(each) for each in rest] == [without_clock(each) for each in whole]
    assert_same(tmp_path / "last" / "1", tmp_path / "whole" / "1", jobs[0].task)


def test_a_damaged_snapshot_is_one_clear_line(make_job: MakeJob, train: Train, tmp_path: Path) -> None:
    jobs = jobs_of(make_job)[:1]
    train(until(jobs, 200), "first")
    path = tmp_path / "first" / "0" / SNAPSHOT
    whole = path.read_bytes()
    for length in (0, 1000, len(whole) - 1000, None):
        path.unlink() if length is None else path.write_bytes(whole[:length])
        with pytest.raises(RunError, match=f"{SNAPSHOT} is missing or damaged"):
            train(until(jobs, None, "first"), "last")


def test_sb3_trains_no_parts(make_job: MakeJob, run: Callable[[Job], Any]) -> None:
    with pytest.raises(BadInput, match="only the population trainer"):
        run(make_job(until=128))
