"""A trained policy for other programs: weights as safetensors, and an ONNX model with its normalisation."""

from __future__ import annotations

import json
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np

from eureka_loop import files
from eureka_loop.errors import MissingExtra
from eureka_loop.judge.episodes import load_policy
from eureka_loop.simulate import play

OPSET, IR = 17, 8  # of ONNX: ONNX Runtime reads them from 1.13 on
WEIGHTS, MODEL = "policy.safetensors", "policy.onnx"
ACTIVATIONS = {"Tanh": "Tanh", "ReLU": "Relu", "ELU": "Elu", "LeakyReLU": "LeakyRelu"}  # torch's → ONNX's


def export_policy(folder: Path, out: Path) -> dict[str, Any]:
    """Write both files; the policy's arrays.

    Raises:
        MissingExtra: safetensors or onnx isn't installed.
        Damaged: policy.npz of the training's folder is missing, or not such a file.
        RunError: `out` can't be written.
    """
    try:
        import onnx
        import safetensors.numpy
    except ModuleNotFoundError as error:
        raise MissingExtra(f"a policy as {MODEL} and {WEIGHTS}", "export") from error
    load_policy(folder)  # refuses a damaged one
    found = play.numbers(folder / play.POLICY)
    facts = {
        "layers": found["layers"].tolist(),
        "observation": found["keys"].tolist(),
        "squashed": bool(found["squashed"]),
        "epsilon": play.EPSILON,
        "clip": play.CLIP,
    }
    arrays = {name: value for name, value in found.items() if value.dtype.kind == "f"}
    text = {name: json.dumps(value) for name, value in facts.items()}
    model = _model(onnx, found)
    onnx.checker.check_model(model)
    contiguous = {name: np.ascontiguousarray(value) for name, value in arrays.items()}
    files.write_bytes(out / WEIGHTS, safetensors.numpy.save(contiguous, text))
    files.write_bytes(out / MODEL, model.SerializeToString())
    return found


def _model(onnx: Any, found: dict[str, Any]) -> Any:
    """Observation (N, observation) float64 → action (N, action) float32, as `play.load`'s `act`."""
    helper, tensors, nodes = onnx.helper, list[Any](), list[Any]()

    def constant(value: Any) -> str:
        name = f"c{len(tensors)}"
        tensors.append(onnx.numpy_helper.from_array(np.asarray(value), name))
        return name

    def add(operator: str, *inputs: str, **attributes: Any) -> str:
        name = f"v{len(nodes)}"
        nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name

    value, single = "observation", np.float32
    if "mean" in found:
        value = add("Sub", value, constant(np.float64(found["mean"])))
        value = add("Div", value, constant(np.sqrt(np.float64(found["var"]) + play.EPSILON)))
        value = add("Clip", value, constant(-play.CLIP), constant(play.CLIP))
    value = add("Cast", value, to=onnx.TensorProto.FLOAT)
    for place, text in enumerate(found["layers"].tolist()):
        name, *numbers = text.split()
        if name == "Linear":
            weight, bias = (constant(found[f"{place}.{part}"]) for part in ("weight", "bias"))
            value = add("Gemm", value, weight, bias, transB=1)
        elif name in ACTIVATIONS:
            value = add(ACTIVATIONS[name], value, **({"alpha": float(numbers[0])} if numbers else {}))
        elif name == "SiLU":
            value = add("Mul", value, add("Sigmoid", value))
        elif name == "GELU":
            inner = add("Erf", add("Mul", value, constant(single(sqrt(0.5)))))
            half = add("Mul", value, constant(single(0.5)))
            value = add("Mul", half, add("Add", inner, constant(single(1.0))))
        else:  # Hardtanh
            value = add("Clip", value, *(constant(single(each)) for each in numbers))
    low, high = (found[each].ravel().astype(single) for each in ("low", "high"))
    if found["squashed"]:
        share = add("Mul", add("Add", value, constant(single(1.0))), constant(0.5 * (high - low)))
        value = add("Add", share, constant(low))
    else:
        value = add("Min", add("Max", value, constant(low)), constant(high))
    nodes.append(helper.make_node("Identity", [value], ["action"]))
    sizes = {"observation": found["0.weight"].shape[1], "action": len(low)}
    kinds = {"observation": onnx.TensorProto.DOUBLE, "action": onnx.TensorProto.FLOAT}
    ends = [helper.make_tensor_value_info(each, kinds[each], ["N", sizes[each]]) for each in sizes]
    graph = helper.make_graph(nodes, "policy", ends[:1], ends[1:], tensors)
    versions = [helper.make_opsetid("", OPSET)]
    return helper.make_model(graph, opset_imports=versions, ir_version=IR, producer_name="eureka-loop")
