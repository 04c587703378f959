"""Learning curves of the report as a picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from eureka_loop import files
from eureka_loop.results import Trained

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")  # Okabe and Ito's, safe for colour-blind readers


def draw_curves(path: Path, curves: Sequence[tuple[str, Sequence[Trained]]], title: str) -> bool:
    """Fitness over training steps: a thin line a seed, a thick one their mean. False where there is nothing.

    Args:
        curves: label and trainings of each reward.

    Raises:
        RunError: the picture can't be written.
    """
    from matplotlib.figure import Figure  # a second to import: only where a report is made

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for colour, (label, trained) in zip(COLOURS, curves, strict=False):
        lines = [curve for each in trained if (curve := fitness_curve(each))]
        for line in lines:
            axes.plot(*zip(*line.items(), strict=True), color=colour, linewidth=0.8, alpha=0.5)
        if mean := mean_curve(lines):
            label = f"{label} (n={len(lines)})"
            axes.plot(*zip(*mean.items(), strict=True), color=colour, linewidth=2.2, label=label)
    if not axes.lines:
        return False
    axes.set_title(title, parse_math=False)
    axes.set(xlabel="environment steps", ylabel="fitness of training episodes")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=120)
    files.write_bytes(path, png.getvalue())
    return True


def fitness_curve(trained: Trained) -> dict[int, float]:
    """Step → fitness of a training; points at which no episode had finished are left out."""
    return {point.step: point.fitness for point in trained.checkpoints if point.fitness is not None}


def mean_curve(lines: Sequence[dict[int, float]]) -> dict[int, float]:
    """Mean over the trainings that have a value at a step."""
    steps = sorted({step for line in lines for step in line})
    return {step: fmean(line[step] for line in lines if step in line) for step in steps}
