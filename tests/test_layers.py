"""The layers hold: imports point downward, and what is heavy stays where it belongs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# From the bottom up; a module may import from its own group and from those before it.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("errors",),
    ("numbers", "records", "options", "registry", "seeds", "versions"),
    ("results", "files"),
    ("provenance", "events", "text"),
    ("config",),
    ("references", "envs", "reward_templates"),
    ("reward",),
    ("simulate",),
    ("judge",),
    ("train",),
    ("store",),
    ("foreign",),
    ("execute",),
    ("propose",),
    ("search",),
    ("report",),
    ("cli",),
)
RANK = {name: rank for rank, group in enumerate(LAYERS) for name in group}
HEAVY = ("torch", "mujoco", "gymnasium", "stable_baselines3")
MAY_BE_HEAVY = ("simulate", "judge", "train")


def modules() -> list[tuple[str, Path]]:
    """Dotted name inside the package → file."""
    folders = {"": ROOT / "eureka_loop", "envs": ROOT / "envs", "reward_templates": ROOT / "reward_templates"}
    found = []
    for prefix, folder in folders.items():
        for path in sorted(folder.rglob("*.py")):
            parts = [*([prefix] if prefix else []), *path.relative_to(folder).with_suffix("").parts]
            found.append((".".join(part for part in parts if part != "__init__"), path))
    return [(name, path) for name, path in found if name]


def imports(path: Path, name: str, *, lazy: bool = True) -> set[str]:
    """Dotted names imported by a file; with `lazy` also those inside functions."""
    tree = ast.parse(path.read_text())
    nodes = ast.walk(tree) if lazy else iter(tree.body)
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = name.split(".")[: -node.level] if node.level else []
            base = ".".join(
                [*(["eureka_loop", *package] if node.level else []), *([node.module] if node.module else [])]
            )
            found.update({base} | {f"{base}.{alias.name}" for alias in node.names})
    return found


@pytest.mark.parametrize(
    ("name", "path"), modules(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_imports_point_downward(name: str, path: Path) -> None:
    own = name.split(".")[0]
    for imported in imports(path, name):
        parts = imported.split(".")
        if parts[0] == "eureka_loop" and len(parts) > 1 and parts[1] in RANK and parts[1] != own:
            if own == "execute" and name == "execute.worker":
                continue  # the worker is a program of its own
            assert RANK[parts[1]] < RANK[own], f"{name} imports {imported}"


@pytest.mark.parametrize(
    ("name", "path"), modules(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_heavy_imports_stay_with_the_worker(name: str, path: Path) -> None:
    if name.split(".")[0] not in MAY_BE_HEAVY:
        heavy = {each.split(".")[0] for each in imports(path, name)} & set(HEAVY)
        assert not heavy, f"{name} imports {heavy}"


def test_every_module_has_a_layer() -> None:
    assert {name.split(".")[0] for name, _ in modules()} - RANK.keys() == set()


def test_no_package_init_imports_anything() -> None:
    for init in [*ROOT.glob("eureka_loop/**/__init__.py"), *ROOT.glob("envs/__init__.py")]:
        assert not any(
            isinstance(node, ast.Import | ast.ImportFrom) for node in ast.parse(init.read_text()).body
        )


def test_the_loop_is_short() -> None:
    assert len((ROOT / "eureka_loop" / "search" / "loop.py").read_text().splitlines()) < 150


@pytest.mark.parametrize("module", ["cli.main", "cli.run", "search.assemble", "search.loop"])
def test_the_main_process_stays_light(module: str) -> None:
    code = f"import sys, eureka_loop.{module}; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_needs_only_the_standard_library() -> None:
    code = "import sys, eureka_loop.cli.main as c\ntry: c.main(['--help'])\nexcept SystemExit: pass\n"
    code += "print([m for m in ('numpy', 'tyro', 'rich', 'pydantic') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
