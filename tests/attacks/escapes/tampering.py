"""With the namespace, numpy's settings, the inputs, and with what carries the answer home."""

PAYLOADS = {
    "a shaping function, replaced": "tolerance.__code__ = ramp.__code__",
    "a shaping function's table, changed": "tolerance.__globals__['SIGMOIDS'].clear()",
    "a builtin, replaced": "__builtins__['abs'] = len",
    "builtins, emptied": "__builtins__.clear()",
    "numpy's sum, replaced": "np.sum = lambda *a, **k: 0.0",
    "numpy's module, replaced": "sys.modules['numpy'].abs = None",
    "numpy's linear algebra, replaced": "np.linalg.norm = None",
    "math, replaced": "math.pi = 3.0",
    "a module taken out": "sys.modules.clear()",
    "the import": "__builtins__['__import__'] = None",
    "the random state": "np.random.seed(0)",
    "a random generator": "y = np.random.default_rng(0).normal()",
    "the python random state": "import random; random.seed(0)",
    "the error state": "np.seterr(all='raise')",
    "the error state, in a block": """
        with np.errstate(all='raise'):
            y = 1 / x
        """,
    "the error callback": "np.seterrcall(len); np.seterr(all='call')",
    "the buffer size": "np.setbufsize(16)",
    "the recursion limit": "sys.setrecursionlimit(10**9)",
    "the switch interval": "sys.setswitchinterval(10**9)",
    "the longest integer": "sys.set_int_max_str_digits(0)",
    "the environment": "os.environ['OMP_NUM_THREADS'] = '64'",
    "the garbage collector": "import gc; gc.disable(); gc.unfreeze()",
    "the locale": "import locale; locale.setlocale(0, 'C')",
    "an input": "x[0] = 7.0",
    "an input, in place": "x += 1.0",
    "a component of an input": "v[:, 0] *= 2.0",
    "an input through its transpose": "y = v.reshape(-1, 3); y[0, 0] = 7.0",
    "an input's alias": "y = np.asarray(x); y[0] = 7.0",
    "a tuple unpacked from an input": "first, *rest = v; first[0] = 7.0",
    "the answer's memory": "sys._getframe(2).f_locals['self']._values[:] = 9e99",
    "the answer's text": "sys._getframe(2).f_locals['self']._outputs[:99] = b'x' * 99",
    "the answer's pipe": "os.write(0, b'x' * 32)",
    "the answer's pipe, much": "os.write(0, b'x' * 10**6)",
    "the answer's pipe, closed": "os.close(0)",
    "the answer's pipe, read": "y = os.read(0, 24)",
    "an answer twice": "s = sys._getframe(2).f_locals; s['self'].send(s['token'], 3, 1, b'a')",
    "an answer of another kind": "s = sys._getframe(2).f_locals; s['self'].send(s['token'], 2)",
    "a server replaced": "s = sys._getframe(2).f_locals['self']; s._evaluate = lambda rows: (b'', 31)",
    "more rows than there are": """
        s = sys._getframe(2).f_locals['self']
        s._request = s._request.__class__(**{**{n: getattr(s._request, n) for n in s._request.__slots__}, 'rows': 10**9})
        """,
    "a total of its own": "return 1e6, {'a': x}",
    "a key that is no text": "return {7: x}",
    "too many terms": "return {('t' + '0123456789abcdefghijklmnopqrstuvwxyz'[i]): x for i in range(36)}",
    "an array that lies about its shape": """
        class A(np.ndarray):
            shape = (8,)
        return {'a': np.zeros(3).view(A)}
        """,
    "text that equals all text": """
        class S(str):
            def __eq__(self, other):
                return True
            __hash__ = str.__hash__
        return {S('a\x1b'): x}
        """,
    "a dict that changes while it is read": """
        class D(dict):
            def items(self):
                return iter(())
        return D(a=x)
        """,
}
