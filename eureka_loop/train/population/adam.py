"""Adam for many learners: each clips its own gradient, counts its own steps and keeps its own moments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from eureka_loop.train.population.layout import Layout

Memory = tuple[Tensor, list[Tensor]]  # of `Layout.zeros`


@dataclass(frozen=True, slots=True)
class AdamSettings:
    """As torch's: of the optimizer that SB3 makes for a policy."""

    betas: tuple[float, float]
    eps: float
    weight_decay: float
    max_grad_norm: float


class StackedAdam:
    """
    Args:
        parameters: changed in place.
        steps: that each learner has taken before.
        apart: learners may have taken different numbers of steps. Slower, and perhaps rounded otherwise at
            the sections' ends: it must not depend on what they have really done.

    Attributes:
        gradients: sections, the caller's to fill.
        moments: sections of the two running means.
        steps: taken by each learner.
    """

    def __init__(
        self, layout: Layout, parameters: Memory, settings: AdamSettings, steps: Sequence[int], *, apart: bool
    ) -> None:
        self.steps, self._apart = list(steps), apart
        memory = [parameters, *(layout.zeros(len(steps)) for _ in range(3))]
        self.gradients, *self.moments = (sections for _, sections in memory[1:])
        self._settings = settings
        self._whole = [[flat] for flat, _ in memory]
        self._parts = [[row for section in sections for row in section] for _, sections in memory]
        self._flat = [section.flatten(1) for section in self.gradients]
        self._norms = [torch.zeros(len(steps)) for _ in self._flat]
        self._column = torch.ones(len(steps), 1)
        self._clips: npt.NDArray[np.float32] = self._column[:, 0].numpy()
        self._arrays = [norms.numpy() for norms in self._norms]

    def step(self, learning_rate: float) -> None:
        """One step of every learner. Clips the gradients in place, as torch's `clip_grad_norm_` does.

        The step is torch's own fused one, which reads and writes everything once.
        """
        self._clip()
        self.steps = [step + 1 for step in self.steps]
        if self._apart:
            self._update(self._parts, self.steps * len(self._flat), learning_rate)
        else:
            self._update(self._whole, self.steps[:1], learning_rate)

    def _clip(self) -> None:
        for gradients, norms in zip(self._flat, self._norms, strict=True):
            torch.linalg.vector_norm(gradients, dim=1, out=norms)
        squares = np.zeros_like(self._clips)
        for each in self._arrays:  # one by one: a sum over the sections takes another order where G is 1
            squares += each * each
        most = np.float32(self._settings.max_grad_norm)
        np.minimum(most / (np.sqrt(squares) + np.float32(1e-6)), np.float32(1.0), out=self._clips)
        for gradients in self._flat:
            gradients.mul_(self._column)

    def _update(self, memory: Sequence[list[Tensor]], steps: Sequence[int], learning_rate: float) -> None:
        settings = self._settings
        arguments: Any = (*memory, [], [torch.tensor(float(step)) for step in steps])
        torch._fused_adam_(
            *arguments,
            lr=learning_rate,
            beta1=settings.betas[0],
            beta2=settings.betas[1],
            weight_decay=settings.weight_decay,
            eps=settings.eps,
            amsgrad=False,
            maximize=False,
        )
