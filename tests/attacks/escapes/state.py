"""Memory from call to call, by decorators, defaults, closures, constants and attributes."""

PAYLOADS = {
    "a decorator": """
        def cached(f):
            return f

        @cached
        def compute_reward(x, v):
            return {'a': x}
        """,
    "a decorator with an effect": """
        @open('FOLDER/made', 'w').write
        def compute_reward(x, v):
            return {'a': x}
        """,
    "a decorator that is a lambda": """
        @(lambda f: f)
        def compute_reward(x, v):
            return {'a': x}
        """,
    "a decorator of numpy's": """
        @np.vectorize
        def compute_reward(x, v):
            return {'a': x}
        """,
    "a list as a default": """
        def f(x, seen=[]):
            seen.append(1)
            return x * len(seen)

        def compute_reward(x, v):
            return {'a': f(x)}
        """,
    "a dict as a default": """
        def f(x, seen={}):
            seen['a'] = x
            return x

        def compute_reward(x, v):
            return {'a': f(x)}
        """,
    "an array as a default": """
        def f(x, seen=np.zeros(3)):
            seen[0] += 1
            return x

        def compute_reward(x, v):
            return {'a': f(x)}
        """,
    "a call as a default": """
        def f(x, y=open('SECRET.txt')):
            return x

        def compute_reward(x, v):
            return {'a': f(x)}
        """,
    "a weight that is a list": """
        def compute_reward(x, v, *, seen=[]):
            seen.append(1)
            return {'a': x * len(seen)}
        """,
    "a lambda's default": "f = lambda a, seen=[]: seen.append(a); f(x)",
    "a list at the top": """
        SEEN = []

        def compute_reward(x, v):
            SEEN.append(1)
            return {'a': x * len(SEEN)}
        """,
    "a dict at the top": """
        SEEN = {}

        def compute_reward(x, v):
            SEEN['n'] = SEEN.get('n', 0) + 1
            return {'a': x * SEEN['n']}
        """,
    "a list within a tuple at the top": """
        SEEN = (0, [])

        def compute_reward(x, v):
            SEEN[1].append(1)
            return {'a': x * len(SEEN[1])}
        """,
    "an array at the top, written": """
        SEEN = np.zeros(1)

        def compute_reward(x, v):
            SEEN[0] += 1.0
            return {'a': x * SEEN[0]}
        """,
    "an array of objects at the top": """
        SEEN = np.array([np.zeros(1), None], dtype=np.array(None).dtype)

        def compute_reward(x, v):
            seen = SEEN[0]
            seen[0] = seen[0] + 1.0
            return {'a': x * seen[0]}
        """,
    "an array of lists at the top": """
        SEEN = np.array([[0.0], [0.0, 1.0]], dtype=np.array(10**12 * 10**12).dtype)

        def compute_reward(x, v):
            seen = SEEN[0]
            seen.append(1.0)
            return {'a': x * len(seen)}
        """,
    "a generator at the top": """
        COUNT = (i for i in range(9))

        def compute_reward(x, v):
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

        def compute_reward(x, v):
            return {'a': x * COUNT()}
        """,
    "global": """
        N = 0

        def compute_reward(x, v):
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

        def compute_reward(x, v):
            return {'a': x * g()}
        """,
    "an attribute of a function": "compute_reward.n = 1",
    "an attribute of a helper": """
        def f(x):
            f.n = x
            return x

        def compute_reward(x, v):
            return {'a': f(x)}
        """,
    "an attribute of the namespace": "np.seen = x",
    "a class": """
        class Memory:
            n = 0

        def compute_reward(x, v):
            Memory.n += 1
            return {'a': x * Memory.n}
        """,
    "a class with an effect": """
        class C:
            open('FOLDER/made', 'w')

        def compute_reward(x, v):
            return {'a': x}
        """,
    "a metaclass": """
        class C(metaclass=open):
            pass

        def compute_reward(x, v):
            return {'a': x}
        """,
    "a type parameter": """
        def f[T: open('FOLDER/made', 'w')](x):
            return x

        def compute_reward(x, v):
            return {'a': f(x)}
        """,
    "an annotation with an effect": "y: open('FOLDER/made', 'w') = 1",
    "a parameter's annotation with an effect": """
        def f(x: (lambda: open('FOLDER/made', 'w'))()):
            return x

        def compute_reward(x, v):
            return {'a': f(x)}
        """,
    "a cache": """
        import functools

        @functools.cache
        def f():
            return 1

        def compute_reward(x, v):
            return {'a': x * f()}
        """,
    "a context variable": "import contextvars; y = contextvars.ContextVar('n')",
    "a walrus at the top": """
        (n := [])

        def compute_reward(x, v):
            return {'a': x}
        """,
    "deletion": "del tolerance",
    "a statement at the top": """
        np.sum(np.zeros(3))

        def compute_reward(x, v):
            return {'a': x}
        """,
    "the clock": "import time; y = time.time()",
    "randomness": "y = np.random.normal(size=3)",
    "the hash of text": "y = hash('a')",
    "an address": "y = id(x)",
}
