"""Through numpy's own reading and writing of files."""

PAYLOADS = {
    "load": "y = np.load('SECRET.npy')",
    "load, mapped": "y = np.load('SECRET.npy', mmap_mode='r+')",
    "load of a pickle": "y = np.load('SECRET.pickle', allow_pickle=True)",
    "fromfile": "y = np.fromfile('SECRET.txt')",
    "fromfile of text": "y = np.fromfile('SECRET.txt', sep=' ')",
    "memmap": "y = np.memmap('SECRET.npy', mode='r')",
    "memmap for writing": "y = np.memmap('FOLDER/made', mode='w+', shape=(3,))",
    "loadtxt": "y = np.loadtxt('SECRET.txt')",
    "genfromtxt": "y = np.genfromtxt('SECRET.txt')",
    "fromregex": "y = np.fromregex('SECRET.txt', '(.)', [('a', 'S1')])",
    "recfromtxt": "y = np.lib._npyio_impl.recfromtxt('SECRET.txt')",
    "save": "np.save('FOLDER/made', x)",
    "savez": "np.savez('FOLDER/made', x)",
    "savez_compressed": "np.savez_compressed('FOLDER/made', x)",
    "savetxt": "np.savetxt('FOLDER/made', x)",
    "tofile": "x.tofile('FOLDER/made')",
    "tofile as text": "x.tofile('FOLDER/made', sep=' ')",
    "dump": "x.dump('FOLDER/made')",
    "dumps": "y = x.dumps()",
    "DataSource": "y = np.lib.npyio.DataSource('FOLDER').open('SECRET.txt')",
    "NpzFile": "y = np.lib.npyio.NpzFile('SECRET.npy')",
    "open_memmap": "y = np.lib.format.open_memmap('FOLDER/made', mode='w+', shape=(3,))",
    "open_memmap of what is there": "y = np.lib.format.open_memmap('SECRET.npy')",
    "read_array": "y = np.lib.format.read_array(open('SECRET.npy', 'rb'))",
    "write_array": "np.lib.format.write_array(open('FOLDER/made', 'wb'), x)",
    "a loader's own opener": "y = np.lib._datasource.open('SECRET.txt')",
    "an array's file name": "np.asarray(x).astype(float).tofile('FOLDER/made')",
    "io": """
        import io
        y = io.FileIO('SECRET.txt').read()
        """,
    "pathlib": """
        import pathlib
        y = pathlib.Path('SECRET.txt').read_text()
        """,
    "pickle": """
        import pickle
        y = pickle.load(open('SECRET.pickle', 'rb'))
        """,
    "linecache": """
        import linecache
        y = linecache.getlines('SECRET.txt')
        """,
    "the program's own folder": "y = os.listdir('FOLDER')",
}
