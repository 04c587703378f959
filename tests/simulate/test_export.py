from __future__ import annotations

import ast
import subprocess
import sys
import types
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eureka_loop.envs.domain import Domain, observable
from eureka_loop.envs.registry import domains, find_domain, find_task, installed, tasks
from eureka_loop.errors import BadInput, Refused
from eureka_loop.records import NATIVE, Array, Task
from eureka_loop.reward.contract import Kind
from eureka_loop.reward.functions import namespace
from eureka_loop.reward.gate import check
from eureka_loop.reward.parsing import compiled
from eureka_loop.reward.vocabulary import PREFIXES
from eureka_loop.simulate.env import flat_parts, make_env
from eureka_loop.simulate.export import begun, observables_table, python_text
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.simulate.recorded import RecordedEnv
from eureka_loop.simulate.standalone import Observables

MOST = 1e-6  # of a difference, in the unit of the column or term, or of its size
KINDS: tuple[Kind, ...] = ("fitness", "success", "progress")
SAMPLE = ("halfcheetah-run", "hopper-hop-in-place", "ant-turn", "humanoid-run", "pusher-push")


def loaded(text: str) -> Any:
    module = sys.modules["exported"] = types.ModuleType("exported")  # dataclasses look for it there
    exec(compile(text, "exported.py", "exec"), vars(module))
    return module


def reference(source: str, kind: str) -> Any:
    scope = namespace()
    exec(compiled(source), scope)
    return scope["compute_reward" if kind == "reward" else kind]


def agrees(task: Task, source: str, steps: int) -> float:
    """The largest difference of terms and measures, which is at most `MOST`; several episodes."""
    domain = find_domain(task.env_id)
    reward = loaded(python_text(task, domain, source, "a test")).Reward()
    worst = 0.0

    def compare(found: Any, wanted: Any, what: str) -> None:
        nonlocal worst
        wanted = np.asarray(wanted, np.float64)
        difference = np.abs(np.asarray(found) - wanted).max() / max(1.0, np.abs(wanted).max())
        worst = max(worst, float(difference))
        assert difference <= MOST, (task.name, what, difference)

    with closing(make_env(task)) as env:
        registry = ObservableRegistry(env, domain)
        sources = {"reward": source, **{kind: getattr(task, kind) for kind in KINDS if getattr(task, kind)}}
        programs = {
            kind: check(each, registry.vocabulary, kind, hidden=True) for kind, each in sources.items()
        }  # type: ignore[arg-type]
        names = {name for each in programs.values() for name in each.parameters}
        buffer = registry.buffer(names, 1)
        recorded, inner = RecordedEnv(env, buffer), env.unwrapped
        native: list[float] = []
        plain_step = env.step
        env.step = lambda action: (result := plain_step(action), native.append(result[1]))[0]  # type: ignore[method-assign, assignment, func-returns-value]
        recorded.action_space.seed(0)
        length = max(20, steps // 3)
        for episode in range(-(-steps // length)):
            obs, info = recorded.reset(seed=episode)
            reward.reset(inner.model, inner.data, obs=obs, info=info)  # type: ignore[attr-defined]
            found = []
            for _ in range(length):
                action = recorded.action_space.sample()
                obs, _, terminated, truncated, info = recorded.step(action)
                given = {"obs": obs, "info": info, "terminated": terminated, "reward": native[-1]}
                found.append(reward.step(inner.model, inner.data, action, **given))  # type: ignore[attr-defined]
                if terminated or truncated:
                    break
            columns = buffer.take().columns
            for kind, program in programs.items():
                function = reference(program.source, kind)
                result = function(*(columns[name] for name in program.parameters))
                if kind != "reward":
                    compare(reward.measure(kind), result, kind)
                    continue
                for term, values in result.items():
                    compare([each[term] for each in found], np.broadcast_to(values, len(found)), term)
                total = sum(np.asarray(values) for term, values in result.items() if term[0] != "_")
                compare([reward.total(each) for each in found], total, "total")
    return worst


def source_of(task: Task) -> str:
    return task.human or (NATIVE if task.native else task.sparse or "")


@pytest.mark.parametrize(
    "name",
    [
        *SAMPLE,
        "fetch-slide",
        "hand-block",
        "adroit-pen",
        "antmaze-umaze",
        "kitchen-microwave",
        "metaworld-pick-place-wall",
    ],
)
def test_a_file_alone_agrees_with_the_product(name: str) -> None:
    task = find_task(name)
    if not installed(find_domain(task.env_id).extra):
        pytest.skip("its package isn't installed")
    agrees(task, source_of(task), 60)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("task", tasks().values(), ids=lambda task: task.name)
def test_every_task_agrees_for_a_thousand_steps(task: Task) -> None:
    if not installed(find_domain(task.env_id).extra):
        pytest.skip("its package isn't installed")
    print(f"{task.name}: {agrees(task, source_of(task), 1_000):.1e}")


@pytest.mark.parametrize("domain", domains(), ids=lambda domain: domain.name)
def test_every_observable_can_be_written(domain: Domain) -> None:
    """With `prev_` and `init_`, in two episodes."""
    if not installed(domain.extra):
        pytest.skip("its package isn't installed")
    task = domain.tasks[0]
    with closing(make_env(task)) as env:
        registry = ObservableRegistry(env, domain)
        known = registry.vocabulary.names(hidden=True)
        names = (*known, *(prefix + name for prefix in PREFIXES for name in known))
        text = begun(domain)
        table = observables_table(registry.definitions, names, text)
        text.expression(Observables)
        imports = "from __future__ import annotations\n" + "\n".join(text.imports)
        module = loaded(f"{imports}\n{text}\n{table}")
        seen = module.Observables(module.OBSERVABLES, names, {})
        buffer = registry.buffer(names, 1)
        recorded, inner = RecordedEnv(env, buffer), env.unwrapped
        recorded.action_space.seed(0)
        rows = []
        for episode in range(2):
            obs, info = recorded.reset(seed=episode)
            seen.reset(inner.model, inner.data, obs=obs, info=info)  # type: ignore[attr-defined]
            for _ in range(15):
                action = recorded.action_space.sample()
                obs, _, terminated, truncated, info = recorded.step(action)
                given = {"info": info, "terminated": terminated, "action": action, "reward": 0.0}
                given["obs"] = obs if isinstance(obs, dict) else flat_parts(env.observation_space, obs)["obs"]
                rows.append(seen.step(inner.model, inner.data, **given))  # type: ignore[attr-defined]
                if terminated or truncated:
                    break
    columns = buffer.take().columns
    for name in names:
        if "native_reward" in name:
            continue  # it was given as 0
        found = np.concatenate([row[name] for row in rows])
        size = max(1.0, np.abs(columns[name]).max(initial=0.0))
        np.testing.assert_allclose(found, columns[name], rtol=0, atol=1e-9 * size, err_msg=name)


HOP = find_task("hopper-hop")
PROGRAM = '''
from __future__ import annotations
import numpy as np; from typing import Any
SPOT = 0.5  # another fitness's constant has this name, too


def near(x: Any) -> Any:
    """Two
    lines."""
    return tolerance(x, (-SPOT, SPOT), margin=1.0, sigmoid="long_tail")


def compute_reward(rootx_position, init_rootx_position, torso_quat, air_time, *, weight: float = 2.0):
    return {"near": weight * near(rootx_position - init_rootx_position), "air": air_time, "_up": rotate(torso_quat, np.array([0.0, 0.0, 1.0]))[:, 2] * math.pi}
'''


def test_a_program_of_any_form_agrees() -> None:
    agrees(find_task("hopper-hop-in-place"), PROGRAM, 60)


def test_the_file_imports_numpy_and_mujoco_alone(tmp_path: Path) -> None:
    text = python_text(HOP, find_domain(HOP.env_id), PROGRAM, "a test")
    roots = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            named = [node.module] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
            roots |= {str(each).partition(".")[0] for each in named}
    assert roots - sys.stdlib_module_names == {"numpy", "mujoco"}
    (tmp_path / "reward.py").write_text(text)
    code = "import sys; sys.modules['eureka_loop'] = None; import reward; reward.Reward(); print('loaded')"
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "loaded\n"


def test_mistakes_are_told() -> None:
    goal = find_task("hopper-jump")
    reward = loaded(python_text(goal, find_domain(goal.env_id), source_of(goal), "a test")).Reward()
    with closing(make_env(goal)) as env:
        env.reset(seed=0)
        inner: Any = env.unwrapped
        with pytest.raises(ValueError, match=r"call reset\(model, data\)"):
            reward.step(inner.model, inner.data, env.action_space.sample())
        reward.reset(inner.model, inner.data)
        with pytest.raises(ValueError, match=r"needs what the environment returns: give terminated="):
            reward.step(inner.model, inner.data, env.action_space.sample())
    with closing(make_env(find_task("ant-run"))) as env:
        env.reset()
        inner = env.unwrapped
        with pytest.raises(ValueError, match="this was written for"):
            reward.reset(inner.model, inner.data)


@pytest.mark.parametrize(
    "source",
    [
        "import os\ndef compute_reward(obs):\n    return {'a': obs[:, 0]}\n",
        "def compute_reward(obs):\n    return {'a': obs[:, 0].__class__}\n",
        "def compute_reward(no_such):\n    return {'a': no_such}\n",
    ],
)
def test_only_what_passes_the_gate_is_written(source: str) -> None:
    with pytest.raises(Refused):
        python_text(HOP, find_domain(HOP.env_id), source, "a test")


def test_somebodys_words_stay_words() -> None:
    text = 'ends """ here\n\nimport os \\" \x00 \u202e x'
    task = Task(text, HOP.env_id, text, HOP.fitness)
    tree = ast.parse(python_text(task, find_domain(HOP.env_id), HOP.human or "", text))
    assert not any(isinstance(each, ast.Import) and each.names[0].name == "os" for each in tree.body)
    assert isinstance(tree.body[0], ast.Expr)


@observable(unit="")
def of_another_library(qpos: Array) -> Array:
    """Can't be written: torch's function."""
    return np.asarray(pytest.approx(qpos[:, 0]))


def test_what_a_domain_takes_from_other_packages_is_refused() -> None:
    domain = Domain("mine", HOP.env_id, (of_another_library,))
    source = "def compute_reward(of_another_library):\n    return {'a': of_another_library}\n"
    task = Task("mine", HOP.env_id, "x", "def fitness(qpos):\n    return qpos[-1, 0]\n")
    with pytest.raises(BadInput, match="can't be written into a file"):
        python_text(task, domain, source, "a test")


def test_words_for_time_and_flights_agree() -> None:
    words = [
        "begins(foot_contact).sum()",
        "once(air_time > 0.05).mean()",
        "held(foot_contact, dt).max()",
        "within(foot_contact, 0.1, begins(air_time == 0), dt).mean()",
        "first(time, begins(foot_contact), never=9.0) - last(time, foot_contact)",
        "sum([per_phase(torso_height, air_time > 0, how).max() for how in ('max', 'mean', 'change', 'last')])",
        "alternates(foot_contact, torso_height > 1.2).sum()",
    ]
    body = " + ".join(words)
    fitness = f"def fitness(foot_contact, air_time, torso_height, dt, time):\n    return {body}\n"
    reward = (
        "def compute_reward(torso_flight_turn, prev_torso_flight_move):\n"
        "    return {'turn': torso_flight_turn[:, 1], 'rise': prev_torso_flight_move[:, 2]}\n"
    )
    agrees(replace(find_task("hopper-hop"), fitness=fitness), reward, 200)
