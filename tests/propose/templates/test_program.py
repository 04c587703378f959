"""Programs come apart into terms and together again."""

from __future__ import annotations

import pytest

from eureka_loop.propose.templates.pool import pool
from eureka_loop.propose.templates.program import Genome, parse, write
from eureka_loop.records import Task
from eureka_loop.reward.vocabulary import Vocabulary

OWN = '''\
def compute_reward(forward_velocity, torso_pos, init_torso_pos, action, *, speed=0.5, stay=0.3, effort=0.1):
    """Hop."""
    # over the ground
    stay_drift = norm(torso_pos[:, :2] - init_torso_pos[:, :2])  # m
    return {
        "speed": speed * forward_velocity,  # m/s
        "stay": -stay * stay_drift,
        "effort": -effort * np.square(action).mean(axis=1),
    }
'''

FOREIGN = """\
def compute_reward(torso_pos, action, *, w=1, cost=2e-3):
    x = torso_pos[:, 0]
    y = x * 2
    return {"go": w * y, "act": -cost * np.abs(action).max(axis=1)}
"""


def genome(source: str) -> Genome:
    found = parse(source)
    assert found is not None, source
    return found


def test_a_program_comes_apart_and_together_again() -> None:
    genes = genome(OWN)
    assert [gene.key for gene in genes] == ["speed", "stay", "effort"]
    assert genes[1].statements == ("stay_drift = norm(torso_pos[:, :2] - init_torso_pos[:, :2])",)
    assert genes[1].parameters == ("torso_pos", "init_torso_pos")
    assert genes[1].weights == {"stay": 0.3}
    assert genome(write(genes, "Hop")) == genes


def test_another_authors_plain_program_has_genes() -> None:
    genes = genome(FOREIGN)
    assert genes[0].statements == ("x = torso_pos[:, 0]", "y = x * 2")
    assert genes[1].weights == {"cost": 2e-3}
    assert genome(write(genes, "Go")) == genes


@pytest.mark.parametrize(
    "source",
    [
        "no Python at all",
        "def compute_reward(x):\n    pass\n",
        'def compute_reward(x):\n    terms = {"a": x}\n    return terms\n',
        'K = 2.0\n\ndef compute_reward(x):\n    return {"a": K * x}\n',
        'def compute_reward(x):\n    for i in range(3):\n        x = x + i\n    return {"a": x}\n',
        'def compute_reward(x, *, w="heavy"):\n    return {"a": x}\n',
        'def fitness(x):\n    return {"a": x}\n',
    ],
)
def test_other_programs_have_none(source: str) -> None:
    assert parse(source) is None


def test_terms_are_recognised_whatever_their_weights(planar: Vocabulary, task: Task) -> None:
    terms = pool(task, planar)
    for term in terms.terms:
        changed = term.gene.weighted(dict.fromkeys(term.gene.weights, 7.0))
        (parsed,) = genome(write((changed,), task.text))
        assert terms.recognise(parsed) is term
        assert terms.restore(parsed) == changed  # comments included


@pytest.mark.parametrize(
    "text", ['say """now"""', "back\\slash\\", "line\nbreak\x00", "", "é" * 300, "word " * 60]
)
def test_any_text_makes_a_docstring(text: str) -> None:
    source = write(genome(OWN), text)
    compile(source, "text", "exec")
    assert parse(source) is not None
