"""Who may share a batch of envs."""

import pytest

from eureka_loop.envs.registry import find_domain, find_task
from eureka_loop.simulate.batched import BatchedEnvs
from eureka_loop.simulate.choice import Way
from eureka_loop.simulate.ways import DEMANDING, demands, ways

ASKED = (["qpos", "action"], ["torso_contact_force"])


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("hopper-hop", ["straight", "staged"]),
        ("halfcheetah-run", ["straight", "split"]),
        ("ant-run", ["staged", "staged"]),  # its observation holds contacts
        ("humanoid-run", ["pool", "pool"]),  # a solver that doesn't converge
    ],
)
def test_columns_decide(name: str, found: list[Way]) -> None:
    task = find_task(name)
    domain = find_domain(task.env_id)
    assert ways(task, domain, ASKED) == found
    for names, way in zip(ASKED, found, strict=True):
        envs = BatchedEnvs(task, domain, names, 2, 0)
        assert (envs.physics == "pool") == (way == "pool")
        envs.close()


def test_several_threads_roll_out_what_one_pools() -> None:
    task = find_task("humanoid-run")
    assert ways(task, find_domain(task.env_id), ASKED, threads=2) == ["staged", "staged"]


@pytest.mark.parametrize("name", ["hopper-hop", "halfcheetah-run"])
def test_programs_step_as_their_most_demanding_name_asks(name: str) -> None:
    """So that who steps alike can be told without an env: in pairs, usual ones among them."""
    task = find_task(name)
    domain = find_domain(task.env_id)
    names = ["qpos", "torso_contact_force", "com_pos", "action"]
    asks = demands(task, domain, names)
    pairs = [(one, other) for one in names for other in names]
    for pair, way in zip(pairs, ways(task, domain, pairs), strict=True):
        assert max(asks.get(each, 0) for each in pair) == DEMANDING.index(way)
