from __future__ import annotations

import pytest

from eureka_loop.propose.templates.genes import compatible, parse
from eureka_loop.propose.templates.layout import write
from eureka_loop.propose.templates.pool import pool
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


def test_a_program_comes_apart_and_together_again() -> None:
    genome = parse(OWN)
    assert genome is not None
    assert [gene.key for gene in genome] == ["speed", "stay", "effort"]
    assert genome[1].statements == (
        "# over the ground\nstay_drift = norm(torso_pos[:, :2] - init_torso_pos[:, :2])  # m",
    )
    assert genome[1].parameters == ("torso_pos", "init_torso_pos")
    assert genome[1].weights == {"stay": 0.3}
    again = parse(write(genome, "Hop"))
    assert again is not None
    assert [gene.form for gene in again] == [gene.form for gene in genome]


def test_what_is_not_used_goes_with_its_term() -> None:
    genome = parse(OWN)
    assert genome is not None
    text = write((genome[0], genome[2]), "Hop")
    assert "stay" not in text
    assert text.startswith("def compute_reward(forward_velocity, action, *, speed=0.5, effort=0.1):\n")
    assert write(genome[:1], "Hop") == (
        "def compute_reward(forward_velocity, *, speed=0.5):\n"
        '    """Hop."""\n'
        "    return {\n"
        '        "speed": speed * forward_velocity,  # m/s\n'
        "    }\n"
    )


def test_another_authors_plain_program_has_genes() -> None:
    genome = parse(FOREIGN)
    assert genome is not None
    assert genome[0].statements == ("x = torso_pos[:, 0]", "y = x * 2")
    assert genome[1].weights == {"cost": 2e-3}
    text = write(genome, "Go")
    compile(text, "foreign", "exec")
    again = parse(text)
    assert again is not None
    assert [gene.form for gene in again] == [gene.form for gene in genome]


@pytest.mark.parametrize(
    "source",
    [
        "no Python at all",
        "",
        "def compute_reward(x):\n    pass\n",
        'def compute_reward(x):\n    """Only words."""\n',
        'def compute_reward(x):\n    terms = {"a": x}\n    return terms\n',
        'K = 2.0\n\ndef compute_reward(x):\n    return {"a": K * x}\n',
        'def compute_reward(x):\n    for i in range(3):\n        x = x + i\n    return {"a": x}\n',
        'def compute_reward(x, *, w):\n    return {"a": w * x}\n',
        'def compute_reward(x, *, w="heavy"):\n    return {"a": x}\n',
        "def compute_reward(x):\n    return {**x}\n",
        'def fitness(x):\n    return {"a": x}\n',
    ],
)
def test_other_programs_have_none(source: str) -> None:
    assert parse(source) is None


def test_two_terms_of_one_name_do_not_fit_together() -> None:
    own, foreign = parse(OWN), parse(FOREIGN)
    assert own is not None
    assert foreign is not None
    assert compatible(own[0], foreign[0])
    assert not compatible(own[0], own[0])
    other = parse(FOREIGN.replace("* 2", "* 3").replace('"go"', '"run"'))
    assert other is not None
    assert not compatible(foreign[0], other[0]), "y would mean two things"


def test_terms_are_recognised_whatever_their_weights(planar: Vocabulary, task: Task) -> None:
    terms = pool(task, planar)
    for term in terms.terms:
        for shape, gene in term.genes.items():
            changed = gene.weighted(dict.fromkeys(gene.weights, 7.0))
            source = write((changed,), task.text)
            parsed = parse(source)
            assert parsed is not None, source
            assert terms.recognise(parsed[0]) == (term, shape)


@pytest.mark.parametrize(
    "text", ['say """now"""', "back\\slash\\", "line\nbreak\x00", "", "é" * 300, "word " * 60]
)
def test_any_text_makes_a_docstring(text: str) -> None:
    genome = parse(OWN)
    assert genome is not None
    source = write(genome, text)
    compile(source, "text", "exec")
    assert parse(source) is not None
