"""Exported policies act as the product's own: by ONNX Runtime, and by the weights with numpy alone."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eureka_loop.errors import Damaged, MissingExtra
from eureka_loop.simulate.play import load
from eureka_loop.train.exported import MODEL, WEIGHTS, export_policy
from eureka_loop.train.hyperparameters import ACTIVATIONS
from tests.train.test_saved import BOX, GOAL, saved

pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
safetensors = pytest.importorskip("safetensors")

CASES: list[Any] = [
    *(("ppo", BOX, {"policy_kwargs": {"activation_fn": name}}) for name in ACTIVATIONS),
    ("ppo", BOX, {"policy_kwargs": {"net_arch": []}, "normalize_observation": False}),
    ("ppo", GOAL, {}),
    ("ppo", BOX, {"use_sde": True, "policy_kwargs": {"squash_output": True}}),
    ("sac", GOAL, {"policy_kwargs": {"net_arch": {"pi": [64, 32], "qf": [8]}}}),
    ("sac", BOX, {"use_sde": True}),
]


@pytest.mark.parametrize(("algorithm", "observed", "hyperparameters"), CASES)
def test_actions_are_the_products(
    algorithm: Any, observed: Any, hyperparameters: dict[str, Any], tmp_path: Path
) -> None:
    saved(tmp_path, algorithm, observed, **hyperparameters)
    found = export_policy(tmp_path, tmp_path / "out")
    predict, keys = load(tmp_path), found["keys"].tolist()
    session = onnxruntime.InferenceSession(tmp_path / "out" / MODEL, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(1)
    size = found["0.weight"].shape[1]
    flat = random.normal(3.0, 20.0, (50, size))  # far enough for every clip
    sizes = np.cumsum([observed[key].shape[0] for key in keys])[:-1] if keys else []
    wanted = [predict(dict(zip(keys, np.split(row, sizes), strict=True)) if keys else row) for row in flat]
    (actions,) = session.run(None, {"observation": flat})
    assert actions.dtype == np.float32
    np.testing.assert_allclose(actions, wanted, rtol=0, atol=1e-5)
    assert np.ptp(actions, axis=0).min() > 1e-3
    assert session.run(None, {"observation": flat[:1]})[0].shape == (1, 2)


def test_weights_with_numpy_alone(tmp_path: Path) -> None:
    saved(tmp_path, "ppo", BOX, policy_kwargs={"activation_fn": "tanh"})
    export_policy(tmp_path, tmp_path / "out")
    with safetensors.safe_open(tmp_path / "out" / WEIGHTS, "np") as file:
        about = {name: json.loads(text) for name, text in file.metadata().items()}
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    predict, random = load(tmp_path), np.random.default_rng(1)
    for seen in random.normal(3.0, 5.0, (20, 5)):
        scaled = (seen - weights["mean"]) / np.sqrt(weights["var"] + about["epsilon"])
        value = np.clip(scaled, -about["clip"], about["clip"]).astype(np.float32)
        for place, layer in enumerate(about["layers"]):
            if layer == "Linear":
                value = weights[f"{place}.weight"] @ value + weights[f"{place}.bias"]
            else:
                assert layer == "Tanh"
                value = np.tanh(value)
        assert not about["squashed"]
        np.testing.assert_allclose(np.clip(value, weights["low"], weights["high"]), predict(seen), atol=1e-5)


def test_what_is_lacking_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Damaged, match=r"there is no .*policy\.npz"):
        export_policy(tmp_path, tmp_path / "out")
    (tmp_path / "policy.npz").write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(Damaged, match="is damaged"):
        export_policy(tmp_path, tmp_path / "out")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtra, match=r"pip install 'eureka-loop\[export\]'"):
        export_policy(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
