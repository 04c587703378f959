"""Each way to fail, for real: its kind, and words a language model can repair from."""

from __future__ import annotations

import re
import time

import numpy as np
import pytest

from eureka_loop.errors import RewardFailure

DIVIDES = """def helper(x):
    return 1 / len(x[:0])

def compute_reward(x, v):
    return {'a': helper(x)}
"""


def fails(process, columns, rows=8) -> RewardFailure:
    with pytest.raises(RewardFailure) as caught:
        process.evaluate(columns(rows)) if process.program.kind == "reward" else process.measure(
            columns(rows)
        )
    return caught.value


def test_an_exception_names_its_line(start, columns):
    failure = fails(start(DIVIDES), columns)
    assert failure.kind == "exception"
    assert str(failure) == "Line 2: ZeroDivisionError: division by zero"


def test_an_exception_comes_with_the_last_lines_of_its_traceback(start, columns):
    assert fails(start(DIVIDES), columns).detail.splitlines() == [
        "  line 5, in compute_reward",
        "    return {'a': helper(x)}",
        "  line 2, in helper",
        "    return 1 / len(x[:0])",
        "ZeroDivisionError: division by zero",
    ]


def test_an_if_on_an_array_is_told_to_use_where(body, columns):
    failure = fails(body("return {'a': x if x > 0 else -x}"), columns)
    assert failure.kind == "exception"
    assert "np.where(condition, a, b)" in str(failure)


def test_a_text_that_is_not_python_fails_at_the_start(start):
    with pytest.raises(RewardFailure, match="Line 2: not valid Python") as caught:
        start("def compute_reward(x, v):\n    return {\n")
    assert caught.value.kind == "exception"


def test_a_missing_entry_point_fails_at_the_start(start):
    with pytest.raises(RewardFailure, match="no function `compute_reward`"):
        start("def reward(x, v):\n    return {}\n")


def test_an_exception_while_loading_fails_at_the_start(start):
    with pytest.raises(RewardFailure, match=r"Line 1: NameError: name 'nothing' is not defined"):
        start("LIMIT = nothing\n")


def test_endless_recursion_is_an_exception(start, columns):
    failure = fails(
        start("def f(x):\n    return f(x)\n\ndef compute_reward(x, v):\n    return {'a': f(x)}\n"), columns
    )
    assert failure.kind == "exception"
    assert "RecursionError" in str(failure)
    assert len(failure.detail.splitlines()) < 15


@pytest.mark.parametrize(
    "lines", ["while True:\n    pass", "return {'a': x * len('%d' % 9**9**8)}", "sum(range(10**18))"]
)
def test_what_never_ends_is_timed_out_within_half_a_second_of_its_deadline(start, columns, lines):
    process = start(
        "str = tolerance.__globals__['__builtins__']\nrange = str['range']\ndef compute_reward(x, v):\n    "
        + lines.replace("\n", "\n    "),
        deadline=0.3,
    )
    begin = time.monotonic()
    failure = fails(process, columns)
    assert failure.kind == "timed_out"
    assert time.monotonic() - begin < 0.8


def test_what_never_loads_is_timed_out(start):
    with pytest.raises(RewardFailure, match="did not load within") as caught:
        start("while True:\n    pass\n", deadline=0.3)
    assert caught.value.kind == "timed_out"


def test_a_deadline_is_the_programs_own_and_not_the_locks(start):
    with pytest.raises(RewardFailure) as caught:
        start("while True:\n    pass\n", deadline=0.0001)
    assert caught.value.kind == "timed_out"


def test_the_deadline_holds_for_all_pieces_together(escaped, columns):
    process = escaped("load('time').perf_counter()\nreturn {'a': x}", rows=1, deadline=0.2)
    with pytest.raises(RewardFailure) as caught:
        process.evaluate(columns(200_000))
    assert caught.value.kind == "timed_out"


@pytest.mark.parametrize(
    "lines",
    [
        "return {'a': x + np.zeros(10**9)[0]}",
        "big = [np.zeros(10**6) for _ in range(900)]\nreturn {'a': x}",
        "text = 'x' * 10**9\nreturn {'a': x}",
        "many = [0]\nwhile True:\n    many.extend(many)",
    ],
)
def test_too_much_memory_is_out_of_memory(body, columns, lines):
    failure = fails(body(lines), columns)
    assert failure.kind == "out_of_memory"
    assert "512 MB" in str(failure)


def test_a_process_that_dies_is_killed(escaped, columns):
    failure = fails(escaped("os._exit(3)"), columns)
    assert failure.kind == "killed"
    assert "exit status 3" in str(failure)


def test_a_crash_is_killed(escaped, columns):
    failure = fails(escaped("ctypes.string_at(0)"), columns)
    assert failure.kind == "killed"
    assert "SIGSEGV" in str(failure)


def test_nan_names_the_term_the_rows_and_what_was_seen(start):
    process = start("def compute_reward(x, v):\n    return {'fine': x, 'bad': np.log(x)}")
    failure = fails(process, lambda rows: {"x": np.array([1.0, -2.5, 3.0, -1.0]), "v": np.ones((4, 3))})
    assert failure.kind == "not_finite"
    assert str(failure) == ("Term 'bad' is NaN in 2 of 4 rows, first in row 1, where x = -2.5, v = [1, 1, 1]")


def test_rows_of_a_failure_count_through_the_pieces(start):
    process = start("def compute_reward(x, v):\n    return {'a': 1 / x}", rows=4)
    x = np.ones(10)
    x[9] = 0.0
    failure = fails(process, lambda rows: {"x": x, "v": np.ones((10, 3))})
    assert "infinite in 1 of 2 rows, first in row 9" in str(failure)


def test_a_huge_term_is_out_of_range(body, columns):
    failure = fails(body("return {'a': x * 0 - 2e6}"), columns)
    assert failure.kind == "out_of_range"
    assert "Term 'a' exceeds ±1e+06 in 8 of 8 rows" in str(failure)


def test_the_range_is_that_of_terms_not_of_their_square_sum(body, columns):
    assert body("return {'a': x * 0 + 9e5}").evaluate(columns(8)).total[0] == 9e5


@pytest.mark.parametrize(
    ("term", "words"),
    [
        ("x.mean()", "has shape (), expected (N,): add `axis=1`"),
        ("1.0", "has shape (), expected (N,)"),
        ("v", "has shape (N, 3), expected (N,): reduce it with `.sum(axis=1)`"),
        ("x[:, None]", "has shape (N, 1), expected (N,): add `[:, 0]`"),
        ("v.sum(axis=0)", "has shape (3,), expected (N,): it was reduced over the N = 8 rows"),
    ],
)
def test_a_wrong_shape_says_what_to_write(body, columns, term, words):
    failure = fails(body(f"return {{'drift': {term}}}"), columns)
    assert failure.kind == "wrong_shape"
    assert f"Term 'drift' {words}" in str(failure)


@pytest.mark.parametrize("term", ["x + 1j", "['a'] * len(x)", "[{}] * len(x)"])
def test_a_wrong_dtype_is_named(body, columns, term):
    failure = fails(body(f"return {{'a': {term}}}"), columns)
    assert failure.kind == "wrong_dtype"
    assert "Term 'a' has dtype" in str(failure)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("return x, {'a': x}", "returned a tuple: return only the dict"),
        ("return x", "returned ndarray, expected a dict"),
        ("x + 1", "returned None: end it with"),
        ("return {'total': x, 'a': x}", "Drop the key 'total'"),
        ("return {}", "0 terms (none): expected 1 to 32"),
        ("return {'_a': x}", "at least one of them without a leading `_`"),
        ("return {'forward\\nspeed': x}", "Term 'forward\\nspeed': a name has"),
        ("return {7: x}", "Term 7: a name has"),
        ("return {'a' * 65: x}", "1 to 64"),
        ("return dict([('t' + '0123456789abcdefghijklmnopqrstuvw'[i], x) for i in range(33)])", "33 terms"),
    ],
)
def test_wrong_terms_are_explained(body, columns, lines, words):
    failure = fails(body(lines), columns)
    assert failure.kind == "wrong_terms"
    assert words in str(failure)


def test_keys_that_change_are_wrong_terms(body, columns):
    process = body("return {'a': x} if len(x) > 4 else {'b': x}")
    process.evaluate(columns(8))
    failure = fails(process, columns, rows=3)
    assert failure.kind == "wrong_terms"
    assert "were (a) and are now (b)" in str(failure)


@pytest.mark.parametrize(
    "line", ["x[0] = 1.0", "x += 1.0", "v[:, 0] *= 2.0", "x.setflags(write=True)", "x.sort()"]
)
def test_writing_into_the_inputs_is_mutated_input(body, columns, line):
    failure = fails(body(f"{line}\nreturn {{'a': x}}"), columns)
    assert failure.kind == "mutated_input"
    assert str(failure).startswith("Line 2: the inputs are read-only")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("x", "wrong_shape"),
        ("'good'", "wrong_dtype"),
        ("None", "wrong_dtype"),
        ("x.mean() / 0.0", "not_finite"),
    ],
)
def test_a_fitness_that_is_no_number_is_refused(start, columns, value, kind):
    failure = fails(start(f"def fitness(x, v):\n    return {value}", "fitness"), columns)
    assert failure.kind == kind
    assert "`fitness`" in str(failure)


def test_words_carry_no_control_characters(escaped, columns):
    failure = fails(escaped(r"raise builtins['ValueError']('\x1b[31mred\x07\u202e\ud800 end')"), columns)
    assert re.fullmatch(r"[^\x00-\x1f\x7f\u202e]*", str(failure))
    assert str(failure).endswith("end")


def test_words_have_no_addresses_which_differ_from_run_to_run(escaped, columns):
    failure = fails(escaped("raise builtins['ValueError'](builtins['object']())"), columns)
    assert str(failure) == "Line 9: ValueError: <object object>"


def test_an_exception_that_can_not_be_shown_is_still_an_exception(escaped, columns):
    source = """
    def text(self): raise builtins['ValueError']()
    Nasty = builtins['type']('Nasty', (builtins['Exception'],), {'__str__': text})
    raise Nasty()
    """
    assert "Nasty: (its text can't be shown)" in str(fails(escaped(source), columns))
