"""Answers of a model's endpoint."""

from __future__ import annotations

import json

from werkzeug import Response


def chat(content: str, **usage: int) -> Response:
    """A completion with one choice; with its tokens, where they are given."""
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    body = {"id": "x", "object": "chat.completion", "created": 0, "model": "small", "choices": [choice]}
    return Response(
        json.dumps({**body, **({"usage": usage} if usage else {})}), content_type="application/json"
    )
