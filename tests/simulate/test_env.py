from __future__ import annotations

import pytest

from eureka_loop.envs.registry import installed
from eureka_loop.errors import BadInput, MissingExtra, UnknownName
from eureka_loop.records import Task
from eureka_loop.simulate.env import make_env, trimmed


def task(env_id: str, **env_kwargs: object) -> Task:
    return Task("toy", env_id, "", "", env_kwargs=env_kwargs)


def test_an_env_is_made_with_its_arguments() -> None:
    env = make_env(task("HalfCheetah-v5", reset_noise_scale=0.0))
    assert env.spec.max_episode_steps == 1000
    assert (env.reset(seed=0)[0] == env.reset(seed=1)[0]).all()


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (task("HalfChetah-v5"), UnknownName, "unknown env 'HalfChetah-v5'; did you mean .*'HalfCheetah-v5'"),
        (task("HalfCheetah-v55"), UnknownName, "did you mean .*'HalfCheetah-v5'"),
        (task("Ant-v5", legs=6), BadInput, r"'Ant-v5' can't be made with \{'legs': 6\}"),
        pytest.param(
            task("FetchReach-v4"), MissingExtra, r"FetchReach-v4.*eureka-loop\[robotics\]",
            marks=pytest.mark.skipif(installed("robotics"), reason="the extra is installed"),
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_named(wrong: Task, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make_env(wrong)


def test_a_section_ends_where_the_next_of_its_level_begins() -> None:
    text = "intro\n## Rewards\nsecret\n### Detail\nsecret\n## Start\nkept. Gives reward 1.\n# Top\nalso kept"
    assert trimmed(text) == "intro\n## Start\nkept.\n# Top\nalso kept"
