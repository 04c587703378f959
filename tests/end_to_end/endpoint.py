"""Models of an endpoint, and their answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response


def chat(content: str, **usage: int) -> Response:
    """A completion with one choice, and its tokens."""
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    body = {"id": "x", "object": "chat.completion", "created": 0, "model": "small", "choices": [choice]}
    return Response(json.dumps({**body, **({"usage": usage} if usage else {})}), mimetype="application/json")


class SlowModel:
    """Each program and its tokens follow from the seed of its call; some calls wait for `hurry`.

    Args:
        late: seeds of all calls until now, the last one's at the end → whether the last one waits.
    """

    def __init__(self, late: Callable[[Sequence[int]], bool]) -> None:
        self.asked: list[int] = []
        self.answered: list[int] = []
        self.hurry = threading.Event()
        self._late, self._lock = late, threading.Lock()

    def __call__(self, request: Request) -> Response:
        seed = int(request.get_json()["seed"])
        with self._lock:
            self.asked.append(seed)
            late = self._late(self.asked)
        if late and not self.hurry.wait(400):
            return Response("", 500)
        self.answered.append(seed)
        up = 1 + seed % 997 / 100
        code = f"def compute_reward(pole_up, *, up={up}):\n    return {{'up': up * pole_up[:, 2]}}\n"
        return chat(f"```python\n{code}```", prompt_tokens=1000 + seed % 10, completion_tokens=50)


@contextmanager
def serving(model: SlowModel) -> Iterator[str]:
    """Its address; it takes several calls at once."""
    with HTTPServer(threaded=True) as server:
        server.expect_request("/v1/chat/completions").respond_with_handler(model)
        yield server.url_for("/v1")
        model.hurry.set()
