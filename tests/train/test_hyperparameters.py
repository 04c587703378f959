import subprocess
import sys

import pytest
from stable_baselines3.common.utils import LinearSchedule
from torch import nn

from eureka_loop.envs.registry import domains
from eureka_loop.errors import BadInput, UnknownName
from eureka_loop.records import Algorithm
from eureka_loop.train.hyperparameters import settings, try_out


def test_json_becomes_what_sb3_takes() -> None:
    read = settings(
        "ppo",
        {
            "n_envs": 4,
            "normalize_reward": False,
            "clip_range": "lin_0.2",
            "learning_rate": 1e-4,
            "policy_kwargs": {"activation_fn": "relu", "net_arch": {"pi": [8], "vf": [8]}},
        },
    )
    assert settings("sac", {"train_freq": [1, "episode"]}).arguments["train_freq"] == (1, "episode")
    assert (read.n_envs, read.normalize_reward, read.normalize_observation) == (4, False, True)
    schedule = read.arguments["clip_range"]
    assert isinstance(schedule, LinearSchedule)
    assert [schedule(left) for left in (1.0, 0.5, 0.0)] == pytest.approx([0.2, 0.1, 0.0])
    assert read.arguments["policy_kwargs"]["activation_fn"] is nn.ReLU
    assert set(read.arguments) == {"device", "clip_range", "learning_rate", "policy_kwargs"}


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [("ppo", "n_stepz"), ("ppo", "seed"), ("ppo", "replay_buffer_class"), ("sac", "n_steps")],
)
def test_unknown_name(algorithm: Algorithm, key: str) -> None:
    with pytest.raises(UnknownName, match=key):
        settings(algorithm, {key: 1})
    with pytest.raises(UnknownName, match="did you mean 'relu'"):
        settings("ppo", {"policy_kwargs": {"activation_fn": "rellu"}})


def test_no_gpu_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """SB3 would train on the CPU without a warning."""
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    with pytest.raises(BadInput, match=r"^device = 'cuda': torch \S+ finds no GPU here; give .*$"):
        settings("ppo", {"device": "cuda"})
    assert settings("ppo", {}).arguments["device"] == "cpu"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("n_steps", "x", "a whole number"),
        ("n_epochs", 2.5, "a whole number"),
        ("batch_size", True, "a whole number"),
        ("gamma", "high", "a number"),
        ("normalize_advantage", 1, "true or false"),
        ("normalize_reward", "no", "true or false"),
        ("n_envs", 0, "1 or more"),
        ("n_envs", "many", "a whole number"),
        ("policy_kwargs", 3, "a table"),
        *(("device", name, "cpu") for name in ("auto", "gpu", "meta", "cuda:", 0, None)),
        *(("learning_rate", text, "lin_3e-4") for text in ("lin_fast", "3e-4", "linear_1")),
    ],
)
def test_a_value_of_the_wrong_kind(key: str, value: object, message: str) -> None:
    with pytest.raises(BadInput, match=f"^{key} = .*{message}"):
        settings("ppo", {key: value})


@pytest.mark.parametrize(
    ("algorithm", "values"),
    [
        ("ppo", {"batch_size": -4}),
        ("ppo", {"n_steps": 1, "n_envs": 1}),
        ("ppo", {"policy_kwargs": {"net_arch": "deep"}}),
        ("sac", {"policy_kwargs": {"no_such_thing": 1}}),
    ],
)
def test_values_that_sb3_refuses(algorithm: Algorithm, values: dict[str, object]) -> None:
    with pytest.raises(BadInput) as caught:
        try_out(algorithm, settings(algorithm, values))
    assert str(caught.value).startswith(f"{algorithm} can't be had with these hyperparameters: ")
    assert "\n" not in str(caught.value)


def test_every_domains_hyperparameters_can_be_used() -> None:
    for each in domains():
        for name, values in each.hyperparameters.items():
            try_out(name, settings(name, values))


MAKE_A_MODEL = """
import sys
from eureka_loop.train.hyperparameters import ALGORITHMS
assert "torch._dynamo" not in sys.modules, "importing is too much already"
ALGORITHMS["ppo"]("MlpPolicy", "InvertedPendulum-v5", device="cpu", n_steps=8, batch_size=8)
sys.exit("torch._dynamo" in sys.modules)
"""


def test_a_fresh_model_imports_no_compiler() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", MAKE_A_MODEL], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
