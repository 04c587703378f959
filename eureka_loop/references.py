"""References: programs that generated rewards are compared with."""

from __future__ import annotations

from collections.abc import Iterator

from eureka_loop.records import Candidate, Task

NATIVE = '''def compute_reward(native_reward):
    """The environment's own reward, as it comes from its step function."""
    return {"native": native_reward}
'''


def references(task: Task) -> Iterator[Candidate]:
    """The task's hand-written reward, or its env's own in its place, and its sparse one, by those ids."""
    if task.human is not None:
        yield Candidate("human", 0, task.human, "human", note=task.human_source)
    elif task.native:
        yield Candidate("native", 0, NATIVE, "native", note=f"what {task.env_id} returns")
    if task.sparse is not None:
        yield Candidate("sparse", 0, task.sparse, "sparse", note="pays only for the task itself")
