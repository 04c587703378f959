"""Programs that exhaust time, memory or processes, crash, flood or forge.

Each ends as a failure of the right kind, no later than half a second after its deadline, and leaves nothing.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from eureka_loop.errors import RewardFailure
from tests.attacks.conftest import armed, refusals

DEADLINE = 0.25  # seconds, of a call that would never end
LONG = 20.0  # of one that comes to its end by itself, but may have to fill the memory first
GRACE = 0.5  # seconds after it, times the slowness of a loaded machine, `patience`

TIMED_OUT = {
    "a loop without end": "while True:\n    pass",
    "loops in loops": "for i in range(10**5):\n    for j in range(10**5):\n        for k in range(10**5):\n            pass",
    "a power tower": "y = 9**9**8",
    "an integer that squares itself": "y = 3\nwhile True:\n    y = y * y",
    "a factorial": "y = sys.modules['math'].factorial(10**8)",
    "a long sum": "y = sum(range(10**15))",
    "a generator without end": "def forever():\n    while True:\n        yield 1\ny = sum(forever())",
    "a matrix product in one call": "a = np.ones((4000, 1000))\nfor i in range(10**6):\n    y = a.T @ a",
    "a matrix power in one call": "y = np.linalg.matrix_power(np.eye(1500) + 1e-9, 10**9)",
    "a regular expression": "y = sys.modules['re'].match('(a+)+$', 'a' * 64 + 'b')",
    "a comparison of text": "y = 'a' * 10**6\nwhile True:\n    y.count(y[:-1] + 'b')",
    "a count without end": "y = 0\nwhile y >= 0:\n    y += 1",
    "a read that nothing comes to": "y = os.read(0, 24)",
    "an error that never finds words": "class E(Exception):\n    def __str__(self):\n        while True:\n            pass\nraise E",
    "a term that never becomes an array": "class A:\n    def __array__(self, dtype=None, copy=None):\n        while True:\n            pass\nreturn {'a': A()}",
    "an exception caught again and again": "while True:\n    try:\n        1 / 0\n    except ZeroDivisionError:\n        pass",
    "a destructor that stays": "class A:\n    def __del__(self):\n        while True:\n            pass\nA()",
}
OUT_OF_MEMORY = {
    "one huge array": "y = np.zeros(10**11)",
    "one array of ones": "y = np.ones(10**9)",
    "many arrays": "y = [np.ones(10**6) for i in range(10**4)]",
    "a list that takes itself in": "y = [0]\nwhile True:\n    y.extend(y)",
    "text that doubles": "y = 'a'\nwhile True:\n    y = y + y",
    "an integer that is shifted": "y = 1 << 10**11",
    "a broadcast": "y = np.ones((10**5, 1)) + np.ones(10**5)",
    "a repetition": "y = np.repeat(x, 10**10)",
    "bytes": "y = bytearray(10**10)",
    "slowly": "y = []\nwhile True:\n    y.append(bytearray(10**6))",
}
EXCEPTION = {
    "recursion": "def f(n):\n    return f(n + 1)\nf(0)",
    "recursion in two": "def f(n):\n    return g(n)\ndef g(n):\n    return f(n)\nf(0)",
    "recursion in a comparison": "a = []\nb = []\na.append(b)\nb.append(a)\nc = []\nc.append(c)\ny = a == [c]",
    "an integer of a million digits as text": "y = str(10**5000)",
    "descriptors, by opening": "y = [open('/dev/null') for i in range(10**4)]",
    "an error of ten megabytes": "raise ValueError('x' * 10**7)",
    "an error of a hundred thousand lines": "raise ValueError('x\\n' * 10**5)",
    "an error of no kind": "class E(BaseException):\n    pass\nraise E",
    "an interrupt": "raise KeyboardInterrupt",
    "an exit by exception": "raise SystemExit(0)",
    "an end of a generator": "raise StopIteration",
}
KILLED = {
    "an exit": "os._exit(0)",
    "an exit with the status of a failed set-up": "os._exit(70)",
    "an abort": "os.abort()",
    "a crash": "ctypes.string_at(0)",
    "a crash in the depth": "sys.setrecursionlimit(10**9)\na = []\nb = []\nfor i in range(10**5):\n    a = [a]\n    b = [b]\ny = a == b",
    "a crash of the stack": "sys.setrecursionlimit(10**9)\nsys.modules['json'].loads('[' * 10**6)",
    "a division by zero in the processor": "signal.raise_signal(signal.SIGFPE)",
    "threads": "import _thread\nwhile True:\n    _thread.start_new_thread(print, ())",
    "processes": "while True:\n    os.fork()",
    "descriptors, by copying": "while True:\n    os.dup(0)",
    "descriptors, by pipes": "while True:\n    os.pipe()",
    "a lock that is never released": "import _thread\nlock = _thread.allocate_lock()\nlock.acquire()\nlock.acquire()",
    "sleep": "sys.modules['time'].sleep(60)",
    "a signal ignored": "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
    "a process that stops itself": "os.kill(os.getpid(), signal.SIGSTOP)",
    "a flood of output": "while True:\n    os.write(1, b'x' * 10**6)",
    "a flood of answers": "while True:\n    os.write(0, b'x' * 10**6)",
    "an answer that is forged": "os.write(0, struct.pack('<QIIQ', 12345, 3, 1, 0))\nwhile True:\n    pass",
    "an answer of one byte": "os.write(0, b'x')\nwhile True:\n    pass",
    "an answer to the next question": "s = sys._getframe(2).f_locals\nos.write(0, struct.pack('<QIIQ', s['token'] + 1, 3, 1, 0))\nwhile True:\n    pass",
}
OTHERS = {
    "a hundred thousand terms": ("return {'t' + str(i): x for i in range(10**5)}", "wrong_terms"),
    "a name of ten megabytes": ("return {'t' * 10**7: x}", "wrong_terms"),
    "terms within terms": ("a = {}\nfor i in range(10**5):\n    a = {'a': a}\nreturn a", "wrong_shape"),
    "a list that holds itself": ("a = []\na.append(a)\nreturn {'a': a}", "wrong_dtype"),
    "terms without end": ("class D(dict):\n    pass\nreturn D(a=x)", "wrong_terms"),
    "numbers beyond all bounds": ("return {'a': x * 0 + 1e308}", "out_of_range"),
    "an array of a hundred dimensions": ("return {'a': np.ones((1,) * 64)}", "wrong_shape"),
}
LOADING = {
    "a loop": ("while True:\n    pass\n", "timed_out"),
    "memory": ("Y = np.ones(10**9)\n", "out_of_memory"),
    "recursion at once": ("def f():\n    return f()\nf()\n", "exception"),
    "an exit at once": ("tolerance.__globals__['__builtins__']['__import__']('os')._exit(0)\n", "killed"),
    "brackets": ("Y = " + "(" * 9000 + ")" * 9000 + "\n", "exception"),
    "signs": ("Y = " + "-" * 9000 + "1\n", "exception"),
    "attributes": ("Y = x" + ".a" * 9000 + "\n", "exception"),
    "conditions": ("Y = " + "1 if 1 else " * 1600 + "1\n", "exception"),
    "powers": ("Y = " + "1**" * 6000 + "1\n", "exception"),
    "blocks": ("".join(" " * i + "if 1:\n" for i in range(120)) + " " * 120 + "pass\n", "exception"),
    "a megabyte": ("Y = 1\n" * 200_000, "timed_out"),
}
HONEST = "def compute_reward(x, v):\n    return {'a': x}\n"

BOMBS = {
    **{name: (lines, "timed_out") for name, lines in TIMED_OUT.items()},
    **{name: (lines, "out_of_memory") for name, lines in OUT_OF_MEMORY.items()},
    **{name: (lines, "exception") for name, lines in EXCEPTION.items()},
    **{name: (lines, "killed") for name, lines in KILLED.items()},
    **OTHERS,
    **{f"{name}, while loading": (source + HONEST, kind) for name, (source, kind) in LOADING.items()},
}

PASS_THE_GATE = {  # sizes and values the gate can't see → the failure in a program's own namespace
    "loops in loops": "exception",  # its `range` is the short one
    "a long sum": "exception",
    "a matrix product in one call": "exception",
    "many arrays": "exception",
    "a power tower": "timed_out",
    "terms within terms": "exception",
    "a list that holds itself": "wrong_dtype",
    "one huge array": "out_of_memory",
    "one array of ones": "out_of_memory",
    "a broadcast": "out_of_memory",
    "a repetition": "out_of_memory",
    "recursion": "exception",
    "recursion in two": "exception",
    "recursion in a comparison": "exception",
    "numbers beyond all bounds": "out_of_range",
    "an array of a hundred dimensions": "wrong_shape",
    "memory, while loading": "out_of_memory",
}


def remains() -> tuple[int, int]:
    """Open descriptors, and maps of shared memory, of this process."""
    descriptors = list(Path("/proc/self/fd").iterdir())
    return len(descriptors), Path("/proc/self/maps").read_text().count("memfd:eureka")


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_in_time_as_what_it_is(locked, patience, name):
    lines, kind = BOMBS[name]
    deadline = DEADLINE if kind == "timed_out" else LONG
    before, begin = remains(), time.monotonic()
    outcome = locked.run(lines if "while loading" in name else armed(lines), deadline=deadline)
    assert time.monotonic() - begin < deadline + GRACE * patience
    assert outcome.failure is not None
    assert outcome.failure.kind == kind, str(outcome.failure)
    assert remains() == before
    assert locked.damage(outcome) == []


@pytest.mark.parametrize("name", [name for name in BOMBS if name not in PASS_THE_GATE])
def test_the_gate_refuses_it(name):
    assert refusals(BOMBS[name][0])


@pytest.mark.parametrize("name", PASS_THE_GATE)
def test_what_passes_the_gate_fails_when_it_runs(locked, name):
    lines, kind = BOMBS[name][0], PASS_THE_GATE[name]
    assert refusals(lines) == []
    outcome = locked.run(lines, deadline=DEADLINE if kind == "timed_out" else LONG)
    assert outcome.failure is not None
    assert outcome.failure.kind == kind, str(outcome.failure)


def test_a_process_that_works_on_after_its_answer_is_late_for_the_next(locked):
    lines = """
        s = sys._getframe(2).f_locals
        s['self']._values[0, :] = 1.0
        s['self'].send(s['token'], 3, 1, b'a')
        while True:
            pass
        """
    with locked.start(armed(lines), deadline=DEADLINE) as process:
        assert process.evaluate(locked.columns).total[0] == 1.0
        with pytest.raises(RewardFailure) as caught:
            process.evaluate(locked.columns)
    assert caught.value.kind == "timed_out"


def test_many_bombs_at_once_take_nothing_else_down(locked):
    lines = [BOMBS[name][0] for name in ("a loop without end", "one huge array", "an abort", "processes")]
    kinds: list[str] = []
    threads = [
        threading.Thread(
            target=lambda each=each: kinds.append(locked.run(armed(each), deadline=1.0).failure.kind)
        )
        for each in lines * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(kinds) == sorted(["timed_out", "out_of_memory", "killed", "killed"] * 2)
    assert locked.damage(locked.run(HONEST)) == []
