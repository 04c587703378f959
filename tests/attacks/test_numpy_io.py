"""Through numpy's own reading and writing of files."""

from __future__ import annotations

import pytest

from eureka_loop.reward.sandbox.layers import Layer

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


def test_the_gate_refuses_it(gate, payload):
    assert gate(payload)


def test_without_the_gate_it_reaches_nothing(bare, payload):
    assert bare(payload) == []


def test_with_real_builtins_it_reaches_nothing(armed, payload):
    assert armed(payload) == []


LIVE = [name for name in PAYLOADS if name not in ("dumps", "recfromtxt", "pathlib", "linecache")]


@pytest.mark.parametrize("name", LIVE)
def test_in_an_open_process_it_does_reach_a_file(open_ground, arm, name):
    harm = open_ground.harm(open_ground.fire(arm(PAYLOADS[name])))
    assert any(each.startswith("file") for each in harm), harm


@pytest.mark.parametrize("layer", [Layer.LANDLOCK, Layer.SECCOMP, Layer.LIMITS], ids=lambda layer: layer.name)
@pytest.mark.parametrize("name", ["load", "fromfile", "memmap for writing", "save", "tofile", "DataSource"])
def test_any_one_layer_alone_holds_it(grounds, arm, layer, name):
    ground = grounds(layer)
    assert ground.harm(ground.fire(arm(PAYLOADS[name]))) == []
