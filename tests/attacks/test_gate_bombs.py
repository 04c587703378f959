"""Programs made to exhaust the gate: it runs in the process that holds the keys, so it must come to an end.

Each was a hole once: seconds to hours of work, gigabytes, or an exception other than a refusal.
"""

from __future__ import annotations

import time

import pytest

from eureka_loop.errors import BadInput, Refused
from eureka_loop.reward.expression import episode_mean
from eureka_loop.reward.gate import MAX_MESSAGE, MAX_PROBLEMS, check
from eureka_loop.reward.vocabulary import Observable, Vocabulary
from tests.attacks.conftest import VOCABULARY, whole

SECONDS = 5.0  # of processor time; all of them take less than one

LISTED = "y = [{}]".format
MISSPELT = {  # each name is looked up among all that are known, for one it may have meant
    "observables": ", ".join(f"robot0_finger_jiont_{i}_velocity" for i in range(420)),
    "short observables": ", ".join(f"robo_fing_{i}" for i in range(1300)),
    "one observable": "".join(chr(97 + i * 7 % 26) for i in range(19_000)),
    "attributes": LISTED(", ".join(f"env.finger_{i}_velocity" for i in range(500))),
    "names": "".join(f"robot0_abcdef_{i}_ = x\n" for i in range(300))
    + LISTED(", ".join(f"robot0_abcdef_{i}q" for i in range(500))),
    "functions": LISTED(", ".join(f"np.logical_andd{i}(x)" for i in range(390))),
}


@pytest.mark.parametrize("name", MISSPELT)
def test_misspelt_names_are_refused_in_time_and_in_few_words(name):
    names = [f"robot0_finger_joint_{i}_velocity_{i % 7}" for i in range(350)]  # a hand has as many
    wide = Vocabulary("any", tuple(Observable(each, ()) for each in ("x", "v", *names)))
    written = MISSPELT[name]
    parameters = "observable" in name
    source = f"def compute_reward(x, {written}):\n    return {{'a': x}}\n" if parameters else whole(written)
    begin = time.process_time()
    with pytest.raises(Refused) as caught:
        check(source, wide)
    assert time.process_time() - begin < SECONDS
    assert len(caught.value.problems) <= MAX_PROBLEMS + 1
    assert all(len(problem.message) <= MAX_MESSAGE for problem in caught.value.problems)


REFUSED = {
    "nested": "y = " + "torch.relu(" * 30 + "x" + ")" * 30,
    "doubling": "y = " + "F.normalize(" * 18 + "x" + ")" * 18,
    "chained": "y = x" + ".relu()" * 45,
    "starred": "y = torch.sigmoid(*x)",
    "starred method": "y = x.sigmoid().relu().pow(*v)",
    "f-string": "y = torch.sigmoid(f\"{'\t'}\")",
    "f-string in a sum": "y = f\"{'\t'}\" + x",
    "f-string as an index": "y = x[f\"{'\t'}\"]",
    "f-string that is called": "y = f\"{'\t'}\"()",
    "integer in hex": "y = 0x" + "f" * 15_000,
    "integer as an index": "y = x[0x" + "f" * 15_000 + "]",
    "integer as an argument": "y = foo(0x" + "f" * 9_000 + ")",
    "integer in decimal": "y = " + "9" * 5_000,
}


@pytest.mark.parametrize("lines", REFUSED.values(), ids=REFUSED.keys())
def test_code_that_no_message_can_quote_is_refused_all_the_same(lines):
    """Calls in calls, integers of thousands of digits, texts that `ast.unparse` can't write."""
    with pytest.raises(Refused):
        check(whole(lines), VOCABULARY)


@pytest.mark.parametrize(
    "expression", ["x * 0x" + "f" * 9_000, "x * f\"{'\t'}\""], ids=["digits", "f-string"]
)
def test_a_fitness_typed_by_hand_is_held_to_the_same(expression):
    with pytest.raises((BadInput, Refused)):
        episode_mean(expression, VOCABULARY)
