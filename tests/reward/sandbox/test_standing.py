"""Below strict nothing starts, unless that is asked for; the reason and the flag are named."""

from __future__ import annotations

import pytest

from eureka_loop.errors import SandboxError
from eureka_loop.reward.sandbox.layers import ALL_LAYERS, Layer
from eureka_loop.reward.sandbox.probes import PROBES
from eureka_loop.reward.sandbox.status import Standing, measure, require

ALL_REFUSED = dict.fromkeys(PROBES, True)


def test_a_strict_machine_is_measured_as_such(strict):
    standing = measure(strict)
    assert standing.strict
    require(standing, reduced=False)
    table = standing.as_table()
    assert table["tier"] == "strict"
    assert table["witness_tried"] == table["witness_refused"] == len(PROBES)
    assert table["not_refused"] == []


def test_without_landlock_the_reason_and_the_flag_are_named():
    standing = Standing(ALL_LAYERS & ~Layer.LANDLOCK, 0, ALL_REFUSED)
    with pytest.raises(SandboxError, match="no-landlock") as caught:
        require(standing, reduced=False)
    words = str(caught.value)
    assert "this machine has no landlock" in words
    assert "one lock instead of two" in words
    assert "--allow-reduced-sandbox" in words
    assert "eureka doctor" in words


def test_without_seccomp_what_the_witness_could_do_is_said():
    standing = Standing(Layer.LIMITS, 0, {**ALL_REFUSED, "connect": False, "fork": False})
    assert standing.tier == "reduced"
    with pytest.raises(SandboxError, match="a locked process could connect, fork"):
        require(standing, reduced=False)


def test_a_witness_that_gets_through_counts_for_more_than_the_layers():
    standing = Standing(ALL_LAYERS, 7, {**ALL_REFUSED, "read_file": False})
    assert standing.tier == "strict"
    assert not standing.strict
    with pytest.raises(SandboxError, match="read_file"):
        require(standing, reduced=False)


def test_staying_who_one_is_is_no_lack():
    require(Standing(ALL_LAYERS & ~Layer.IDENTITY, 7, ALL_REFUSED), reduced=False)


@pytest.mark.parametrize("held", [Layer(0), Layer.LIMITS, ALL_LAYERS & ~Layer.LANDLOCK])
def test_the_flag_overrides(held):
    require(Standing(held, 0, dict.fromkeys(PROBES, False)), reduced=True)
