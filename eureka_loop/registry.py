"""Implementations of a seam by name: those built in, and those that other packages add by entry points."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar, cast

from eureka_loop.errors import BadInput, UnknownName

T = TypeVar("T")


class Registry(Generic[T]):
    """Name → object, imported when it is asked for.

    Args:
        kind: what is registered, for messages ("strategy").
        group: entry point group in which other packages register theirs ("eureka_loop.strategies").
        builtin: name → "module:attribute".
    """

    def __init__(self, kind: str, group: str, builtin: Mapping[str, str]) -> None:
        self.kind, self.group = kind, group
        self._builtin = {name: EntryPoint(name, target, group) for name, target in builtin.items()}

    def names(self) -> tuple[str, ...]:
        """Every registered name, the built-in ones first."""
        return tuple(self._entries())

    def load(self, name: str) -> T:
        """The object registered under a name.

        Raises:
            UnknownName: nothing is registered under it.
            BadInput: the package that registers it can't be imported.
        """
        entries = self._entries()
        if name not in entries:
            raise UnknownName(self.kind, name, entries, hint=f"registered: {', '.join(entries)}")
        try:
            return cast(T, entries[name].load())
        except (ImportError, AttributeError) as error:
            if name in self._builtin:
                raise
            target = entries[name].value
            raise BadInput(f"{self.kind} {name!r} ({target}) can't be imported: {error}") from error

    def _entries(self) -> dict[str, EntryPoint]:
        """Built-in names come first, and can't be replaced by other packages."""
        added = {each.name: each for each in entry_points(group=self.group)}
        return {**self._builtin, **added, **self._builtin}
