"""Through what numpy brings along beside arrays: C libraries, compilers, test tools, its own settings."""

PAYLOADS = {
    "ctypeslib": "y = np.ctypeslib.load_library('libc', '/lib')",
    "ctypeslib's own ctypes": "y = np.ctypeslib.ctypes.CDLL(None).system(b'touch FOLDER/made')",
    "ctypeslib as_array": "y = np.ctypeslib.as_array((1, 2))",
    "an array's ctypes": "y = x.ctypes.data",
    "an array's ctypes as a pointer": "y = x.ctypes.data_as(ctypes.POINTER(ctypes.c_double))[10**6]",
    "f2py": "y = np.f2py.compile('', 'made', extra_args='--build-dir FOLDER')",
    "f2py by name": """
        import numpy.f2py as f
        y = f.run_main(['-m', 'made', 'SECRET.txt'])
        """,
    "builtins of masked arrays": "y = np.ma.core.builtins.open('SECRET.txt').read()",
    "masked arrays": "y = np.ma.core.inspect.sys.modules['os'].listdir('FOLDER')",
    "lib": "y = np.lib.utils",
    "lib's implementation": "y = np.lib._utils_impl.sys.modules['os'].listdir('FOLDER')",
    "testing": "y = np.testing.rundocs('SECRET.txt')",
    "testing's measure": "y = np.testing.measure('open(\\'FOLDER/made\\', \\'w\\')', 1)",
    "testing's runstring": "np.testing.runstring('open(\\'FOLDER/made\\', \\'w\\')', {})",
    "the tests": "np.test()",
    "the configuration": "y = np.__config__.show()",
    "show_config": "y = np.show_config()",
    "show_runtime": "y = np.show_runtime()",
    "info": "y = np.info(np.sum)",
    "source": "y = np.source(np.sum)",
    "the core": "y = np._core.multiarray.fromfile('SECRET.npy')",
    "the core's own os": "y = np._core._add_newdocs_scalars.os.listdir('FOLDER')",
    "the loader": "y = np.__loader__.get_data('SECRET.txt')",
    "the spec": "y = np.__spec__.loader.exec_module(np)",
    "the folder": "y = np.__path__",
    "the builtins": "y = np.__builtins__['open']('SECRET.txt')",
    "sys": "y = np.sys.modules['os'].listdir('FOLDER')",
    "os": "y = np.os.listdir('FOLDER')",
    "distutils": "y = np.distutils.exec_command.exec_command('touch FOLDER/made')",
    "linear algebra's library": "y = np.linalg._umath_linalg.__file__",
    "a star import": """
        from numpy import *
        y = load('SECRET.npy')
        """,
    "an import of one function": """
        from numpy import load
        y = load('SECRET.npy')
        """,
    "an import under another name": """
        import numpy as n
        y = n.load('SECRET.npy')
        """,
    "an import of a part": """
        import numpy.ctypeslib
        y = np.ctypeslib
        """,
    "printing options": "np.set_printoptions(formatter={'all': open})",
    "a warning": """
        import warnings
        warnings.warn('x')
        """,
}
