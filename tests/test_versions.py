"""Records of a run about the code that made it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from eureka_loop.versions import commit_of, made_by


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with one commit, in which some pyproject.toml is written."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "eureka-loop"\n')
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *words], check=True)
    return tmp_path


def test_a_checkout_has_its_commit_and_says_whether_it_was_changed(checkout: Path) -> None:
    found = commit_of(checkout)
    assert len(found["git_commit"]) == 40
    assert found["git_dirty"] is False
    (checkout / "new.py").write_text("")
    assert commit_of(checkout) == {**found, "git_dirty": True}


@pytest.mark.parametrize("text", ['[project]\nname = "mine"\n', None])
def test_the_commit_of_somebody_elses_repository_is_not_ours(checkout: Path, text: str | None) -> None:
    """As where the package is installed in a `.venv` inside the user's own checkout."""
    path = checkout / "pyproject.toml"
    path.write_text(text) if text is not None else path.unlink()
    assert commit_of(checkout) == {}


def test_versions_are_those_of_what_is_installed() -> None:
    import numpy as np

    assert made_by()["numpy"] == np.__version__
