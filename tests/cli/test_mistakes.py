"""Bad input to `run`, `train`, `resume`, `inspect`, `tasks`, `compare`: one clear line, and nothing is trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

UPRIGHT = 'def compute_reward(pole_angle):\n    return {"upright": np.cos(pole_angle)}\n'
NAN = 'def compute_reward(pole_up):\n    return {"upright": np.nan * pole_up[:, 2]}\n'
ZERO = 'out = "runs\\u0000"\n'
SETTINGS = "[hyperparameters]\nn_step = 512\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("run", "say what is wanted"),
        ("run halfcheeta-run", "did you mean 'halfcheetah-run'"),
        ("run walk --env HalfCheeta-v5 --fitness qvel", "did you mean"),
        ("run walk --env CartPole-v1 --fitness obs", "CartPole-v1"),
        ("run walk --env HalfCheetah-v5 --fitness forward_velocty", "did you mean 'forward_velocity'"),
        (
            "run walk --env InvertedPendulum-v5 --fitness pole_up[:,7]",
            "the last is `pole_up[:, -1]`",
        ),
        ("run walk --env InvertedPendulum-v5 --fitness np.log(pole_up[:,2]-5)", "returned nan"),
        ("run walk --env HalfCheetah-v5", "--fitness"),
        ("run halfcheetah-run --designer llm --model m", "OPENAI_API_KEY"),
        ("run halfcheetah-run --designer replay", "--replay"),
        (
            "run halfcheetah-run --designer gpt",
            "eureka: unknown designer 'gpt'; registered: templates, llm, manual, replay",
        ),
        ("run halfcheetah-run --steps 50", "--steps 50 is out of range"),
        ("compare a.py b.py --task hopper-hop --margin -1", "--margin -1.0 is out of range: give 0 to"),
        ("run halfcheetah-run --config none.toml", "none.toml"),
        ("run hopper-hop --config mine.toml --designer templates", "n_steps"),
        ("run hopper-hop --config zero.toml", "zero.toml: out = 'runs\\x00' has a zero byte: remove it"),
        ("resume", "eureka: say which run: its folder, such as runs/"),
        ("resume nothing", "is not a run"),
        ("inspect nothing", "is not a run"),
        ("propose", "say what is wanted"),
        ("propose runs/gone", "runs/gone is not a run"),
        ("propose hopper-hop --designer llm", "--designer llm needs no answers: use `eureka run`, or leave"),
        (
            "propose halfcheetah-run --samples 0.5",
            "--samples takes a whole number, not '0.5'; `eureka propose",
        ),
        ("tasks halfcheeta", "halfcheetah-run"),
        ("tasks HalfCheetah-v4", "`eureka look --env ID` an environment's names"),
        ("look", "say which environment: `eureka look --env HalfCheetah-v5`"),
        ("look --env Hopper-v5 --find zzz", "--find 'zzz': no name and no meaning has it"),
        ("look --env HalfCheeta", "did you mean"),
        ("look --env Ant-v5 --env-arg xml_file=no.xml", "no.xml does not exist"),
        ("look --env Ant-v5 --env-arg legs=6", "'Ant-v5' can't be made with {'legs': 6}: "),
        ("look --env nobodys:Own-v0", "It is looked for among installed packages and in /"),
        ("run walk --env HalfCheetah-v4 --fitness zzz", "`eureka look --env HalfCheetah-v4` lists all names"),
        ("train", "eureka: say which program: a file with `def compute_reward(...)`; "),
        (
            "train mine.py",
            "say for which task: `eureka train mine.py --task halfcheetah-run`; `eureka tasks`",
        ),
        ("train none.py --task halfcheetah-run", "none.py"),
        (
            "train nan.py --task invertedpendulum-balance",
            "nan.py fails on transitions under random actions: ",
        ),
        (
            "run invertedpendulum-balance --designer templates --human nan.py",
            "nan.py fails on transitions under random actions: Line 2: Term 'upright' is nan",
        ),
        ("frobnicate", "unknown command"),
        ("compare a.py b.py", "say which task: `eureka compare a.py b.py --task NAME`"),
        ("compare a.py --task invertedpendulum-balance", "a.py is the only reward given; name one"),
        (
            "compare a.py gone.py --task invertedpendulum-balance",
            "can't read gone.py: No such file or directory",
        ),
        (
            "compare a.py b.py --task invertedpendulum-balanse",
            "unknown task 'invertedpendulum-balanse'; did you mean",
        ),
        ("compare a.py b.py --task hopper-hop --out c", "a.py can't be used for 'hopper-hop': Line 1: "),
        ("compare a.py b.py --task hopper-hop --seeds 101", "--seeds 101 is out of range: give 1 to 100"),
        ("compare a.py b.py --task hopper-hop --algo a2c", "unknown algorithm 'a2c'"),
        ("compare . a.py", "give one run, or reward files: `eureka compare RUN`"),
        ("compare .", "is not a run (it has no run.toml)"),
        ("compare runs/gone", "runs/gone is not a run"),
        ("compare", "give one run, or reward files: `eureka compare RUN`"),
    ],
)
def test_bad_input_gets_one_clear_line_and_nothing_is_trained(
    refused: Callable[[str], str], words: str, message: str, tmp_path: Path
) -> None:
    files = {"a.py": UPRIGHT, "b.py": UPRIGHT, "nan.py": NAN, "mine.toml": SETTINGS, "zero.toml": ZERO}
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    assert message in refused(words)
    assert not list(tmp_path.glob("runs/*"))
    assert not list(tmp_path.rglob("seed-*"))
    assert not words.startswith("compare") or {path.name for path in tmp_path.iterdir()} == files.keys()
