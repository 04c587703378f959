"""Through frames, generators, coroutines, tracebacks and exceptions to what called the program."""


def caught(raised: str, then: str, clause: str = "except Exception as e") -> str:
    return f"try:\n    {raised}\n{clause}:\n    y = {then}"


PAYLOADS = {
    "a generator's frame": "g = (i for i in range(3)); y = g.gi_frame.f_back",
    "a generator function's frame": """
        def f():
            yield 1
        g = f()
        for i in g:
            y = g.gi_frame.f_back.f_globals
        """,
    "a generator that runs its own frame": """
        g = (g.gi_frame.f_back.f_back.f_locals for i in range(1))
        y = list(g)
        """,
    "a generator's code": "g = (i for i in range(3)); y = g.gi_code.co_names",
    "throwing into a generator": """
        def f():
            yield 1
        f().throw(ValueError)
        """,
    "a coroutine's frame": """
        async def f():
            return 1
        c = f()
        y = c.cr_frame.f_back
        c.close()
        """,
    "an awaited coroutine": """
        async def f():
            await g()
        async def g():
            return 1
        y = f().cr_await
        """,
    "an asynchronous generator": """
        async def f():
            yield 1
        y = f().ag_frame
        """,
    "sending into a coroutine": """
        async def f():
            return 1
        f().send(None)
        """,
    "a traceback's frame": caught("1 / 0", "e.__traceback__.tb_frame.f_back.f_back.f_locals"),
    "a caught traceback's globals": caught(
        "1 / 0", "e.__traceback__.tb_frame.f_globals['__builtins__']['open']('SECRET.txt')"
    ),
    "the object of an AttributeError": caught("np.nothing", "e.obj"),
    "the name of a NameError": caught("nothing", "e.name"),
    "an exception's context": """
        try:
            try:
                1 / 0
            finally:
                nothing
        except Exception as e:
            y = e.__context__.__traceback__
        """,
    "a bare except": caught("1 / 0", "x", "except"),
    "an exception group": caught("1 / 0", "e.exceptions", "except* ZeroDivisionError as e"),
    "raising": "raise ZeroDivisionError",
    "an assertion with an effect": "assert open('FOLDER/made', 'w')",
    "the caller's frame": "import sys; y = sys._getframe(1).f_locals",
    "the caller's caller's locals": "import sys; sys._getframe(3).f_locals['server']._function = len",
    "tracing": "import sys; sys.settrace(lambda *a: None)",
    "profiling": "import sys; sys.setprofile(lambda *a: None)",
    "an audit hook": "import sys; sys.addaudithook(lambda *a: None)",
    "all frames": "import sys; y = sys._current_frames()",
    "inspect": "import inspect; y = inspect.currentframe().f_back",
    "a match on a class": "match x:\n    case object(__class__=c):\n        y = c.__base__",
    "a match on a mapping": "match np:\n    case {'load': f}:\n        y = f",
    "a match on a sequence": "match v:\n    case [first, *rest]:\n        y = first",
    "a with": """
        with open('FOLDER/made', 'w') as f:
            f.write('x')
        """,
    "a with of the program's own": """
        class C:
            def __enter__(self):
                return self
            def __exit__(self, kind, error, trace):
                self.frame = trace.tb_frame.f_back
        with C() as c:
            1 / 0
        """,
}
