"""Through attributes with two underscores, and the builtins that lead to them, to everything Python holds."""

PAYLOADS = {
    "subclasses": "y = ().__class__.__base__.__subclasses__()",
    "the method resolution order": "y = x.__class__.__mro__[-1].__subclasses__()",
    "a file class among the subclasses": """
        for c in ().__class__.__base__.__subclasses__():
            if c.__name__ == 'FileIO':
                y = c('SECRET.txt').read()
        """,
    "a loader among the subclasses": """
        for c in ().__class__.__base__.__subclasses__():
            if c.__name__ == 'BuiltinImporter':
                c.load_module('posix').system('touch FOLDER/made')
        """,
    "a function's globals": "y = tolerance.__globals__['__builtins__']['open']('SECRET.txt').read()",
    "a method's function's globals": "y = np.linalg.norm.__wrapped__.__globals__['sys'].modules['os'].listdir('FOLDER')",
    "a shaping function's module": "y = tolerance.__globals__['np'].load('SECRET.npy')",
    "the module of numpy's functions": "y = np.sum.__globals__['np'].load('SECRET.npy')",
    "its own code": "y = compute_reward.__code__.co_consts",
    "its own code, replaced": "compute_reward.__code__ = tolerance.__code__",
    "its own defaults": "compute_reward.__kwdefaults__['w'] = compute_reward.__kwdefaults__['w'] + 1.0",
    "its own globals": "y = compute_reward.__globals__['__builtins__']",
    "builtins by name": "y = __builtins__['__import__']('os').listdir('FOLDER')",
    "an import by name": "y = __import__('os').system('touch FOLDER/made')",
    "importlib": "import importlib; y = importlib.import_module('subprocess').run(['touch', 'FOLDER/made'])",
    "getattr": "y = getattr(x, '__cl' + 'ass__')",
    "getattr of the module": "y = getattr(np, 'lo' + 'ad')('SECRET.npy')",
    "object's getattribute": "y = object.__getattribute__(x, '__class__')",
    "type": "y = type(x)('FileIO', (), {})",
    "a class made by type": "y = type('C', (), {'__init__': tolerance})()",
    "vars": "y = vars(np)['__loader__']",
    "dir": "y = dir(np)",
    "globals": "y = globals()['__builtins__']",
    "locals": "y = locals()",
    "eval": "y = eval('__import__(\\'os\\').listdir(\\'FOLDER\\')')",
    "exec": "exec('import os; os.mkdir(\\'FOLDER/made\\')')",
    "compile": "y = compile('open(\\'SECRET.txt\\')', 'a', 'eval')",
    "open": "y = open('SECRET.txt').read()",
    "input": "y = input()",
    "breakpoint": "breakpoint()",
    "help": "help(x)",
    "the copyright's file list": "y = copyright.__class__('a', 'b', ['SECRET.txt'])",
    "reduce": "y = x.__reduce__()[0].__self__",
    "the array's buffer": "y = x.__array_interface__['data'][0]",
    "a dtype's class": "y = x.dtype.type.__base__",
    "a dtype's metadata": "y = x.dtype.__class__(('O', {'a': x}))",
    "setattr": "setattr(np, 'sum', len)",
    "operator's attrgetter": "import operator; y = operator.attrgetter('__class__.__base__')(x)",
}
