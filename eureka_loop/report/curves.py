"""Learning curves as a picture, for the report."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from eureka_loop.errors import RunError
from eureka_loop.records import Array
from eureka_loop.results import Trained

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")  # Okabe and Ito's: told apart by every eye


def draw_curves(path: Path, curves: Sequence[tuple[str, Sequence[Trained]]], title: str) -> bool:
    """Fitness over training steps: a thin line a seed, a thick one their mean. False where there is nothing.

    Args:
        curves: label and trainings of each reward.

    Raises:
        RunError: the picture can't be written.
    """
    from matplotlib.backends.backend_agg import (
        FigureCanvasAgg,
    )  # a second to import: only where a report is made
    from matplotlib.figure import Figure

    drawn = [(label, lines) for label, results in curves if (lines := _lines(results))]
    if not drawn:
        return False
    figure = Figure(figsize=(7, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for index, (label, lines) in enumerate(drawn):
        colour = COLOURS[index % len(COLOURS)]
        for steps, fitness in lines:
            axes.plot(steps, fitness, color=colour, linewidth=0.8, alpha=0.5)
        axes.plot(*_mean(lines), color=colour, linewidth=2.2, label=f"{label} (n={len(lines)})")
    axes.set_title(title, parse_math=False)
    axes.set_xlabel("environment steps")
    axes.set_ylabel("fitness of training episodes")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=120)
    _write(path, picture.getvalue())
    return True


def _lines(results: Sequence[Trained]) -> list[tuple[Array, Array]]:
    """Steps and fitness of each training; points at which no episode had finished are left out."""
    lines = []
    for result in results:
        known = [
            (float(point.step), point.fitness) for point in result.checkpoints if point.fitness is not None
        ]
        if known:
            table = np.array(known)
            lines.append((table[:, 0], table[:, 1]))
    return lines


def _mean(lines: Sequence[tuple[Array, Array]]) -> tuple[Array, Array]:
    """The seeds' mean, on the stretch that all of them have."""
    grid = np.unique(np.concatenate([steps for steps, _ in lines]))
    first, last = max(steps[0] for steps, _ in lines), min(steps[-1] for steps, _ in lines)
    grid = grid[(grid >= first) & (grid <= last)]
    return grid, np.mean([np.interp(grid, steps, fitness) for steps, fitness in lines], axis=0)


def _write(path: Path, content: bytes) -> None:
    """The whole picture or nothing of it."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise RunError(f"can't write {path}: {error.strerror}; free some space") from error
