"""The owner's handle on the warm parent: one locked process for each program, in milliseconds."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from types import TracebackType

from eureka_loop.errors import SandboxError, UnknownName
from eureka_loop.reward.contract import Program
from eureka_loop.reward.sandbox.conversation import Conversation
from eureka_loop.reward.sandbox.layers import ALL_LAYERS, Layer, Tier, tier
from eureka_loop.reward.sandbox.link import Link
from eureka_loop.reward.sandbox.process import RewardProcess
from eureka_loop.reward.sandbox.protocol import Order


class ForkServer:
    """Starts reward processes. Usable from several threads; its processes end with it, and with its owner.

    The warm parent is started at once, in the background. If it dies, the next `start` brings up another.

    Args:
        layers: what processes are to be locked with; fewer only where one layer is tested alone.

    Raises:
        SandboxError: this system can't have one.
    """

    def __init__(self, *, layers: Layer = ALL_LAYERS) -> None:
        self._layers = layers
        self._turn = threading.Lock()
        self._held: Layer | None = None
        self._closed = False
        self._link = Link()

    @property
    def pid(self) -> int:
        """The warm parent's process id."""
        return self._link.pid

    @property
    def held(self) -> Layer:
        """The layers that really take hold on this machine, as a locked process found.

        Raises:
            SandboxError: no process can be started.
        """
        if self._held is None:
            self.open(order("probe", "", "", {}, 1, 5.0)).close()
        assert self._held is not None
        return self._held

    @property
    def tier(self) -> Tier:
        """What that is worth: strict, no-landlock, reduced or none."""
        return tier(self.held)

    def start(
        self,
        program: Program,
        shapes: Mapping[str, tuple[int, ...]],
        *,
        rows: int,
        deadline: float = 5.0,
    ) -> RewardProcess:
        """A process that has loaded the program and waits for batches.

        Args:
            shapes: parameter → shape of one row; others than the program's parameters are ignored.
            rows: how many rows it holds at once.
            deadline: seconds for loading, and for each call.

        Raises:
            RewardFailure: the program doesn't load.
            UnknownName: a parameter that `shapes` doesn't know.
            SandboxError: no process can be started.
        """
        for parameter in program.parameters:
            if parameter not in shapes:
                raise UnknownName("observable", parameter, shapes)
        own = {parameter: tuple(shapes[parameter]) for parameter in program.parameters}

        def connect(rows: int) -> Conversation:
            return self.open(order(program.kind, program.entry_point, program.source, own, rows, deadline))

        return RewardProcess(program, connect, rows=rows, deadline=deadline)

    def open(self, what: Order) -> Conversation:
        """A locked process that carries out an order.

        Raises:
            RewardFailure, SandboxError: as `start`.
        """
        link = self._living_link()
        try:
            conversation = Conversation(link, what, self._layers)
        except SandboxError:
            if link.alive:
                raise
            conversation = Conversation(self._living_link(), what, self._layers)
        except OSError as error:
            raise SandboxError(f"can't start a reward process: {error.strerror}") from error
        if self._held is None:
            self._held = conversation.held
        if conversation.held != self._held:
            conversation.close()
            raise SandboxError(f"a reward process is locked with {conversation.held!r}, not {self._held!r}")
        return conversation

    def close(self) -> None:
        """End the warm parent and every process it started; may be called again."""
        with self._turn:
            if not self._closed:
                self._closed = True
                self._link.close()

    def __enter__(self) -> ForkServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _living_link(self) -> Link:
        with self._turn:
            if self._closed:
                raise SandboxError("this fork_server is closed")
            if not self._link.alive:
                self._link.close()
                self._link = Link()
            return self._link


def order(
    kind: str, entry_point: str, source: str, shapes: Mapping[str, tuple[int, ...]], rows: int, seconds: float
) -> Order:
    """An order with a token of its own."""
    token = int.from_bytes(os.urandom(8), "little")
    return Order(kind, entry_point, source, shapes, rows, token, seconds)
