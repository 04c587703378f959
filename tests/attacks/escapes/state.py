"""Memory from call to call, by decorators, defaults, closures, constants and attributes.

Lines before `---` stand above the function.
"""

PLAIN = "def compute_reward(x, v):\n    return {'a': x}\n"


def helper(parameters: str, line: str = "pass") -> str:
    return f"def f({parameters}):\n    {line}\n    return x\n---\nreturn {{'a': f(x)}}"


PAYLOADS = {
    "a decorator": f"def cached(f):\n    return f\n\n@cached\n{PLAIN}",
    "a decorator with an effect": f"@open('FOLDER/made', 'w').write\n{PLAIN}",
    "a decorator that is a lambda": f"@(lambda f: f)\n{PLAIN}",
    "a decorator of numpy's": f"@np.vectorize\n{PLAIN}",
    "a list as a default": helper("x, seen=[]", "seen.append(1)"),
    "a dict as a default": helper("x, seen={}", "seen['a'] = x"),
    "an array as a default": helper("x, seen=np.zeros(3)", "seen[0] += 1"),
    "a call as a default": helper("x, y=open('SECRET.txt')"),
    "a weight that is a list": """
        def compute_reward(x, v, *, seen=[]):
            seen.append(1)
            return {'a': x * len(seen)}
        """,
    "a lambda's default": "f = lambda a, seen=[]: seen.append(a); f(x)",
    "a list at the top": """
        SEEN = []
        ---
        SEEN.append(1)
        return {'a': x * len(SEEN)}
        """,
    "a dict at the top": """
        SEEN = {}
        ---
        SEEN['n'] = SEEN.get('n', 0) + 1
        return {'a': x * SEEN['n']}
        """,
    "a list within a tuple at the top": """
        SEEN = (0, [])
        ---
        SEEN[1].append(1)
        return {'a': x * len(SEEN[1])}
        """,
    "an array at the top, written": """
        SEEN = np.zeros(1)
        ---
        SEEN[0] += 1.0
        return {'a': x * SEEN[0]}
        """,
    "an array of objects at the top": """
        SEEN = np.array([np.zeros(1), None], dtype=np.array(None).dtype)
        ---
        seen = SEEN[0]
        seen[0] = seen[0] + 1.0
        return {'a': x * seen[0]}
        """,
    "an array of lists at the top": """
        SEEN = np.array([[0.0], [0.0, 1.0]], dtype=np.array(10**12 * 10**12).dtype)
        ---
        seen = SEEN[0]
        seen.append(1.0)
        return {'a': x * len(seen)}
        """,
    "a generator at the top": """
        COUNT = (i for i in range(9))
        ---
        return {'a': x * next(COUNT)}
        """,
    "a closure": """
        def counter():
            seen = []
            def count():
                seen.append(1)
                return len(seen)
            return count

        COUNT = counter()
        ---
        return {'a': x * COUNT()}
        """,
    "global": """
        N = 0
        ---
        global N
        N += 1
        return {'a': x * N}
        """,
    "nonlocal": """
        def f():
            n = 0
            def g():
                nonlocal n
                n += 1
                return n
            return g

        g = f()
        ---
        return {'a': x * g()}
        """,
    "an attribute of a function": "compute_reward.n = 1",
    "an attribute of a helper": helper("x", "f.n = x"),
    "an attribute of the namespace": "np.seen = x",
    "a class": """
        class Memory:
            n = 0
        ---
        Memory.n += 1
        return {'a': x * Memory.n}
        """,
    "a class with an effect": f"class C:\n    open('FOLDER/made', 'w')\n\n{PLAIN}",
    "a metaclass": f"class C(metaclass=open):\n    pass\n\n{PLAIN}",
    "a type parameter": f"def f[T: open('FOLDER/made', 'w')](x):\n    return x\n\n{PLAIN}",
    "an annotation with an effect": "y: open('FOLDER/made', 'w') = 1",
    "a parameter's annotation with an effect": helper("x: (lambda: open('FOLDER/made', 'w'))()"),
    "a cache": """
        import functools

        @functools.cache
        def f():
            return 1
        ---
        return {'a': x * f()}
        """,
    "a context variable": "import contextvars; y = contextvars.ContextVar('n')",
    "a walrus at the top": f"(n := [])\n\n{PLAIN}",
    "deletion": "del tolerance",
    "a statement at the top": f"np.sum(np.zeros(3))\n\n{PLAIN}",
    "the clock": "import time; y = time.time()",
    "randomness": "y = np.random.normal(size=3)",
    "the hash of text": "y = hash('a')",
    "an address": "y = id(x)",
}
