"""Events of a run, the lines of events.jsonl: fields by kind, checked when the file is read.

Further fields and further kinds are left as they are; readers ignore them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError, create_model

from eureka_loop.files import refusal
from eureka_loop.records import Count, Id, Seed, Size

_FIELDS: Mapping[str, Any] = {
    "event": str, "time": Annotated[float, Field(ge=0, le=1e11)], "clock": Size,
    "id": Id, "seed": Seed, "generation": Count, "ids": list[Id], "parents": list[Id],
    "winner": Id, "best": Id, "references": list[Id], "fitness": float, "success": float, "progress": float,
    "steps": Count, "step": Count, "seconds": Size,
    "generations": Count, "samples": Count, "seeds": Count, "report_seeds": Count, "confirm": Count,
    "jobs": Count, "learners": Count, "cores": Count, "memory": Size, "steady": bool,
    "prompt_tokens": Count, "completion_tokens": Count, "usd": Size,
    "task": str, "designer": str, "algorithm": str, "trainer": str, "why_trainer": str, "name": str,
    "candidate": Id, "prompt": str, "answer": str, "problem": str,
    "kind": str, "message": str, "reason": str, "note": str, "terms": list[str], "then": list[str],
    "labels": dict[str, str],
}  # fmt: skip
_OWN: Mapping[str, Mapping[str, Any]] = {"reporting": {"seeds": list[Seed]}}  # of one kind
_NEEDED = {  # fields without which a kind means nothing
    "asked": "ids", "spent": "prompt_tokens completion_tokens", "generation": "generation",
    "reporting": "winner references seeds", "finished": "winner", "trained": "id seed",
    "training": "id seed", "failed": "id kind message", "gated": "id terms", "told": "id",
    "ranked": "generation", "images_ended": "reason",
    "writing_ended": "reason", "prompted": "candidate prompt answer", "floor_failed": "name message",
    "adapted": "message",
}  # fmt: skip
_NULLABLE = "seed fitness success progress usd best why_trainer problem report_seeds learners".split()


def _checked(event: dict[str, Any]) -> dict[str, Any]:
    """
    Raises:
        ValueError: a field is missing, or isn't what its name says.
    """
    kind = event.get("event")
    try:
        _adapter(kind if isinstance(kind, str) and kind in _NEEDED else "").validate_python(event)
    except ValidationError as error:
        raise ValueError(refusal(error)) from error
    return event


EVENT: Any = Annotated[dict[str, Any], AfterValidator(_checked)]  # the type of a line


@cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    needed = {"event", "time", *_NEEDED.get(kind, "").split()}
    found = {**_FIELDS, **_OWN.get(kind, {})}
    fields: Any = {
        name: (type, ...) if name in needed else (type | None, None) if name in _NULLABLE else (type, "")
        for name, type in found.items()
    }
    model = create_model(kind or "Event", __config__=ConfigDict(extra="allow", strict=True), **fields)
    return TypeAdapter(model)
