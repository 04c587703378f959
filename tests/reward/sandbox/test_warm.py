"""A locked process can import nothing, so nothing a program may call is left to be imported."""

from __future__ import annotations

from eureka_loop.reward.allowed import METHODS, NUMPY

GIVEN = '((), (x,), (v,), (x, x), (v, v), (x > 0, x, x), (3,), ("a",), (None,), ((x, x),), (x, "a"))'

# Real builtins only to look at what is raised; the calls themselves go through the program's own namespace.
CALLS = """
real = tolerance.__globals__["__builtins__"]
lost = real["ImportError"], real["OSError"], real["KeyError"]

def compute_reward(x, v):
    for name, function in ALL:
        for given in GIVEN:
            for named in ({}, {"axis": -1}, {"axis": 7}, {"keepdims": True}, {"dtype": "?"}):
                try:
                    function(*given, **named)
                except lost as error:
                    raise real["ValueError"](f"{name}{given}{named}: {error!r}")
                except real["Exception"]:
                    pass
    return {"a": x}
""".replace("GIVEN", GIVEN)


def test_no_function_of_numpy_is_left_to_be_imported(start, columns):
    calls = ", ".join(f"({name!r}, np.{name})" for name in NUMPY)
    start(CALLS.replace("ALL", f"({calls})"), deadline=20.0).evaluate(columns(5))


def test_no_method_of_arrays_is_left_to_be_imported(start, columns):
    calls = ", ".join(f"({name!r}, {array}.{name})" for name in METHODS for array in ("x", "v"))
    start(CALLS.replace("ALL", f"({calls})"), deadline=20.0).evaluate(columns(5))
