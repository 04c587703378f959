"""Through functions that call functions: what is given a function runs it, now or later."""


def method(signature: str, line: str, use: str) -> str:
    return f"class A:\n    def {signature}:\n        {line}\n{use}"


PAYLOADS = {
    "vectorize": "y = np.vectorize(lambda a: a)(x)",
    "the function of a vectorize": "y = np.vectorize(open).pyfunc('SECRET.txt')",
    "the signature of a vectorize": "y = np.vectorize(open, otypes=[object], signature='()->()')('SECRET.txt')",
    "frompyfunc": "y = np.frompyfunc(open, 1, 1)('SECRET.txt')",
    "apply_along_axis": "y = np.apply_along_axis(lambda row: row.base, 1, v)",
    "apply_over_axes": "y = np.apply_over_axes(lambda a, axis: a, v, [1])",
    "piecewise": "y = np.piecewise(x, [x > 0], [open, lambda a: a])",
    "fromfunction": "y = np.fromfunction(lambda i: i, (3,))",
    "fromiter": "y = np.fromiter((open for i in range(1)), dtype=object)",
    "map": "y = list(map(open, ['SECRET.txt']))",
    "filter": "y = list(filter(open, ['SECRET.txt']))",
    "a sort's key": "y = sorted(['SECRET.txt'], key=open)",
    "a minimum's key": "y = min(['SECRET.txt', 'SECRET.npy'], key=open)",
    "a maximum's default": "y = max((), default=open)",
    "iter with an end": "y = list(iter(lambda: 1, 1))",
    "next": "y = next(i for i in range(3))",
    "reduce": "import functools; y = functools.reduce(lambda a, b: a, [1, 2])",
    "partial": "import functools; y = functools.partial(open, 'SECRET.txt')()",
    "a method as a value": "f = x.tofile; f('FOLDER/made')",
    "a function as a value": "f = np.sum; y = f(x)",
    "a function in a list": "y = [np.sum, len][0](x)",
    "a function in a dict": "y = {'f': len}['f'](x)",
    "a builtin as a term": "return {'a': len}",
    "a call of a call": "y = (lambda: open)()('SECRET.txt')",
    "a lambda without a name": "y = (lambda a: a)(x)",
    "an operator": "import operator; y = operator.methodcaller('tofile', 'FOLDER/made')(x)",
    "a ufunc's at": "np.add.at(x, [0], 1.0)",
    "a ufunc's outer": "y = np.add.outer(x, x)",
    "a ufunc's accumulate": "y = np.add.accumulate(x)",
    "a ufunc's dtype loop": "y = np.add.resolve_dtypes((x.dtype, x.dtype, None))",
    "an iterator": "y = np.nditer(x, op_flags=['readwrite'])",
    "an array protocol": method(
        "__array__(self, dtype=None, copy=None)", "return open('SECRET.txt')", "y = np.array(A())"
    ),
    "an array function": method("__array_function__(self, f, t, a, k)", "return f", "y = np.sum(A())"),
    "a ufunc override": method("__array_ufunc__(self, f, m, *a, **k)", "return f", "y = np.add(A(), x)"),
    "a deleter": method("__del__(self)", "open('FOLDER/made', 'w')", "A()"),
    "at exit": "import atexit; atexit.register(open, 'FOLDER/made', 'w')",
    "a weak reference's callback": "import weakref; r = weakref.ref(compute_reward, open)",
    "starred arguments": "y = np.sum(*[v, 1])",
    "keywords from a dict": "y = np.sum(v, **{'out': x})",
}
