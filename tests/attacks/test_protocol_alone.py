"""The protocol alone: no gate, no layer on the process, and still nothing it sends is believed."""

from __future__ import annotations

import numpy as np
import pytest

from eureka_loop.errors import RewardFailure
from tests.attacks.conftest import armed

GRIP = "s = sys._getframe(2).f_locals\nserver, token = s['self'], s['token']\n"
STAY = "\nwhile True:\n    pass"


def say(token="token", code=3, count=1, size=1, text="a") -> str:
    """Lines that answer by hand."""
    written = f"server._outputs[:{len(text)}] = {text.encode()!r}\n" if text else ""
    return f"{written}os.write(0, struct.pack('<QIIQ', {token}, {code}, {count}, {size}))"


FORGERIES = {
    "a token that is guessed": say(token="token ^ 1") + STAY,
    "the token of the start": say(token="server._request.token") + STAY,
    "a token of nothing but zeros": say(token="0") + STAY,
    "ready again": say(code=2) + STAY,
    "ready again, as at the start": say(token="server._request.token", code=2) + STAY,
    "locked again, with more layers": say(code=1, count=31) + STAY,
    "a code there is none": say(code=99) + STAY,
    "a failure of no kind": say(code=4, size=5, text="a\0b\0c") + STAY,
    "a failure without words": say(code=4, size=0) + STAY,
    "more terms than have names": say(count=2) + STAY,
    "more terms than there can be": say(count=2**32 - 1) + STAY,
    "no terms": say(count=0) + STAY,
    "a text longer than its place": say(size=2**63) + STAY,
    "no names": say(size=0) + STAY,
    "names that are no text": "server._outputs[:2] = bytes([255, 254])\n" + say(size=2, text="") + STAY,
    "a name that clears the screen": say(size=5, text="a\x1b[2J") + STAY,
    "two terms of one name": say(count=2, size=3, text="a\na") + STAY,
    "nothing to sum": say(text="_a", size=2) + STAY,
    "half an answer": "os.write(0, b'0' * 12)" + STAY,
    "one and a half": say() + "\nos.write(0, b'0' * 12)\n" + "while len(x) < 9:\n    pass",
    "an answer that is no answer": "os.write(0, b'bytes that no reward process of ours would send.')" + STAY,
    "an end without an answer": "os._exit(0)",
    "a closed wire": "os.close(0)" + STAY,
    "a wire shut on this side": "socket.socket(fileno=0).shutdown(1)" + STAY,
    "an answer sent twice": say() + "\n" + say() + STAY,
    "an answer before and an answer after": say() + "\nreturn {'a': x}",
    "not a number": "server._values[0, :] = np.nan\n" + say() + STAY,
    "infinity": "server._values[0, :] = np.inf\n" + say() + STAY,
    "more than is allowed": "server._values[0, :] = -1.1e6\n" + say() + STAY,
}
KINDS = {"not a number": "not_finite", "infinity": "not_finite", "more than is allowed": "out_of_range"}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_the_end_of_the_process(unlocked, name):
    outcome = unlocked.run(armed(GRIP + FORGERIES[name]), deadline=0.4)
    assert outcome.failure is not None
    assert outcome.failure.kind == KINDS.get(name, "killed"), str(outcome.failure)
    assert unlocked.damage(outcome) == []


def test_a_failure_it_claims_is_a_failure_whatever_it_is(unlocked):
    for kind in ("exception", "out_of_memory", "mutated_input"):
        outcome = unlocked.run(armed(GRIP + say(code=4, size=len(kind), text=kind) + STAY))
        assert outcome.failure.kind == kind


def test_what_changes_while_it_is_looked_at_is_finite_all_the_same(unlocked):
    """A thread writes NaN into the answer, again and again, while the owner copies and checks it."""
    lines = """
        s = sys._getframe(2).f_locals
        if not hasattr(sys, 'busy'):
            sys.busy = True
            values = s['self']._values
            def forever():
                while True:
                    values[0, ::2] = np.nan
                    values[0, ::2] = 1.0
            import _thread
            _thread.start_new_thread(forever, ())
        return {'a': np.ones_like(x)}
        """
    answered, failed = 0, 0
    for _ in range(6):
        with unlocked.start(armed(lines)) as process:
            try:
                for _ in range(60):
                    terms = process.evaluate(unlocked.columns)
                    assert np.isfinite(terms.values).all()
                    answered += 1
            except RewardFailure as failure:
                failed += failure.kind == "not_finite"
    assert answered + failed >= 6


def test_names_do_not_change_when_the_text_does(unlocked):
    lines = GRIP + "server._outputs[:1] = b'b'\nreturn {'a': x}"
    with unlocked.start(armed(lines)) as process:
        assert process.evaluate(unlocked.columns).names == ("a",)
        assert process.evaluate(unlocked.columns).names == ("a",)


def test_the_inputs_are_sealed_without_any_layer_and_stay_so(unlocked):
    outcome = unlocked.run(armed("ctypes.memset(x.ctypes.data, 1, 8)"))
    assert "SIGSEGV" in str(outcome.failure)
    assert outcome.inputs_unchanged
    address = "ctypes.c_void_p(x.ctypes.data & ~4095)"
    lines = f"r = ctypes.CDLL(None).mprotect({address}, ctypes.c_size_t(4096), 3)\nreturn {{'a': x * 0 + r}}"
    assert unlocked.run(armed(lines)).terms.total[0] == -1.0


def test_the_answers_memory_can_not_be_shortened(unlocked):
    """Reading beyond the end of a shortened file would be SIGBUS."""
    lines = """
        for each in os.listdir('/proc/self/map_files'):
            path = os.readlink('/proc/self/map_files/' + each)
            if 'memfd:eureka' in path:
                try:
                    os.truncate('/proc/self/map_files/' + each, 0)
                except OSError:
                    pass
        return {'a': x}
        """
    outcome = unlocked.run(armed(lines))
    assert unlocked.damage(outcome) == []
