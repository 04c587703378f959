"""Shared memory: its size is fixed, and one side reads only."""

from __future__ import annotations

import mmap
import os
import sys
import tempfile
from pathlib import Path

import pytest

from eureka_loop.reward.sandbox import memory

both = pytest.mark.parametrize("share", [memory.shared, memory._unlinked_file], ids=["memfd", "file"])


@both
def test_what_one_side_writes_the_other_reads(share):
    ours, descriptor = share(4096, child_writes=False)
    ours[:5] = b"hello"
    with mmap.mmap(descriptor, 4096, access=mmap.ACCESS_READ) as theirs:
        assert theirs[:5] == b"hello"
    os.close(descriptor)
    ours.close()


@both
def test_inputs_can_not_be_mapped_for_writing(share):
    ours, descriptor = share(4096, child_writes=False)
    with pytest.raises(PermissionError):
        mmap.mmap(descriptor, 4096)
    os.close(descriptor)
    ours.close()


@both
def test_inputs_can_not_be_written_as_a_file(share):
    ours, descriptor = share(4096, child_writes=False)
    with pytest.raises(OSError, match=r"not permitted|Bad file"):
        os.write(descriptor, b"x")
    os.close(descriptor)
    ours.close()


@both
def test_outputs_are_written_by_the_other_side(share):
    ours, descriptor = share(4096, child_writes=True)
    with mmap.mmap(descriptor, 4096) as theirs:
        theirs[:2] = b"hi"
    assert ours[:2] == b"hi"
    os.close(descriptor)
    ours.close()


@pytest.mark.skipif(sys.platform != "linux", reason="seals")
@pytest.mark.parametrize("size", [0, 100, 8192])
def test_a_memfds_size_is_sealed(size):
    ours, descriptor = memory.shared(4096, child_writes=True)
    with pytest.raises(PermissionError):
        os.ftruncate(descriptor, size)
    os.close(descriptor)
    ours.close()


def test_the_file_is_gone_before_it_is_used(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ours, descriptor = memory._unlinked_file(4096, child_writes=True)
    assert list(Path(tmp_path).iterdir()) == []
    os.close(descriptor)
    ours.close()


def test_a_kernel_without_the_seal_still_gets_a_read_only_descriptor(monkeypatch):
    real = memory._seal
    monkeypatch.setattr(memory, "_seal", lambda fd, seals: not seals & 0x10 and real(fd, seals))
    test_inputs_can_not_be_mapped_for_writing(memory.shared)
