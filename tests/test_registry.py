"""Names of built-in and of installed implementations lead to the same kind of object."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint

import pytest

from eureka_loop import registry as module
from eureka_loop.errors import BadInput, UnknownName
from eureka_loop.registry import Registry


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry[object]]:
    installed = [
        EntryPoint("ordered", "collections:OrderedDict", "eureka_loop.tests"),
        EntryPoint("json", "csv:reader", "eureka_loop.tests"),
        EntryPoint("broken", "no_such_module:thing", "eureka_loop.tests"),
    ]
    monkeypatch.setattr(module, "entry_points", lambda group: installed)
    return Registry("parser", "eureka_loop.tests", {"json": "json:loads"})


def test_builtin_and_installed_names_load(registry: Registry[object]) -> None:
    import json
    from collections import OrderedDict

    assert registry.names() == ("json", "ordered", "broken")
    assert registry.load("json") is json.loads  # an installed package can't replace what is built in
    assert registry.load("ordered") is OrderedDict


def test_an_unknown_name_is_told_with_the_nearest(registry: Registry[object]) -> None:
    with pytest.raises(UnknownName, match=r"unknown parser 'jsn'; did you mean 'json'\?"):
        registry.load("jsn")


def test_a_package_that_cannot_be_imported_is_bad_input(registry: Registry[object]) -> None:
    with pytest.raises(BadInput, match=r"parser 'broken' \(no_such_module:thing\) can't be imported"):
        registry.load("broken")
