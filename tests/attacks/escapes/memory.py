"""Through views and pointers to memory that isn't the program's own."""

PAYLOADS = {
    "as_strided": "y = np.lib.stride_tricks.as_strided(x, shape=(10**6,))",
    "as_strided, backwards": "y = np.lib.stride_tricks.as_strided(x, shape=(8,), strides=(-8,))",
    "sliding windows, writable": "np.lib.stride_tricks.sliding_window_view(x, 2, writeable=True)[0] = 1.0",
    "frombuffer": "y = np.frombuffer(x.data)",
    "frombuffer, beyond": "y = np.frombuffer(x.base, count=-1, offset=0)",
    "setflags": "x.setflags(write=True); x[0] = 7.0",
    "a flag": "x.flags.writeable = True; x[0] = 7.0",
    "base": "y = x.base",
    "the base's base": "b = x.base.base; b[:8] = b'12345678'",
    "the whole input's memory": "y = bytes(x.base)",
    "data": "x.data[0] = 7.0",
    "a memoryview": "m = memoryview(x); m[0] = 7.0",
    "out": "y = np.add(x, 1.0, out=x)",
    "out of a reduction": "y = np.cumsum(x, out=x)",
    "out by position": "y = np.square(x, x)",
    "where": "y = np.divide(1.0, x, where=x > 0)",
    "copyto": "np.copyto(x, 0.0)",
    "put": "np.put(x, 0, 7.0)",
    "a method that puts": "x.put(0, 7.0)",
    "place": "np.place(x, x > 0, 7.0)",
    "putmask": "np.putmask(x, x > 0, 7.0)",
    "fill": "x.fill(7.0)",
    "fill_diagonal": "np.fill_diagonal(v, 7.0)",
    "itemset": "x.itemset(0, 7.0)",
    "a sort in place": "x.sort()",
    "a partition in place": "x.partition(3)",
    "a swap of bytes in place": "x.byteswap(True)",
    "a resize in place": "x.resize(10**6, refcheck=False)",
    "a shape": "x.shape = (10**6,)",
    "strides": "x.strides = (10**6,)",
    "a dtype": "x.dtype = object",
    "a view as objects": "y = x.view(object)[0]",
    "a view as bytes": "x.view('u1')[0] = 7",
    "an array made around an address": "y = np.ndarray((8,), buffer=x.data, offset=0)",
    "an array that says where it is": """
        class A:
            __array_interface__ = {'shape': (8,), 'typestr': '<f8', 'data': (CELL, False), 'version': 3}
        np.array(A(), copy=False)[0] = 7.0
        """,
    "the state of an array": "x.__setstate__((1, (8,), x.dtype, False, b'12345678' * 8))",
    "memory that nobody cleared": "y = np.empty(10**6)",
    "memory that nobody cleared, alike": "y = np.empty_like(x)",
    "memset": "ctypes.memset(x.ctypes.data, 1, 8)",
    "a pointer to the parent's memory": "ctypes.memmove(CELL, b'changed', 7)",
    "a pointer to nothing": "y = ctypes.string_at(0)",
    "every object there is": "import gc; y = gc.get_objects()",
    "who refers to it": "import gc; y = gc.get_referrers(x)",
    "memory made writable": """
        ctypes.CDLL(None).mprotect(ctypes.c_void_p(x.ctypes.data & ~4095), ctypes.c_size_t(4096), 3)
        ctypes.memset(x.ctypes.data, 1, 8)
        """,
    "memory mapped anew": """
        ctypes.CDLL(None).mremap(ctypes.c_void_p(x.ctypes.data & ~4095), 4096, 8192, 1)
        ctypes.memset(x.ctypes.data, 1, 8)
        """,
    "memory thrown away": "ctypes.CDLL(None).madvise(ctypes.c_void_p(x.ctypes.data & ~4095), ctypes.c_size_t(4096), 9)",
    "machine code": """
        m = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, 7)
        m.write(b'\xc3')
        ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(m)))()
        """,
}
