"""Adam for many learners: each clips its own gradient, counts its own steps and keeps its own moments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from eureka_loop.train.population.layout import CPU, Layout

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
        steps: (G,), taken by each learner.
    """

    def __init__(
        self, layout: Layout, parameters: Memory, settings: AdamSettings, steps: Sequence[int], *, apart: bool
    ) -> None:
        device = layout.device
        self.steps = torch.tensor(steps, dtype=torch.float32).to(device)
        memory = [parameters, *(layout.zeros(len(steps)) for _ in range(3))]
        self.gradients, *self.moments = (sections for _, sections in memory[1:])
        self._settings = settings
        self._flat = [section.flatten(1) for section in self.gradients]
        counts = list(self.steps)  # views: what is counted on the device never has to come from here
        if apart:
            parts = [[row for section in sections for row in section] for _, sections in memory]
            self._memory: Any = (*parts, [], counts * len(self._flat))
        else:
            self._memory = (*([flat] for flat, _ in memory), [], counts[:1])
        self._norms = [torch.zeros(len(steps), device=device) for _ in self._flat]
        self._column = torch.ones(len(steps), 1, device=device)
        self._clip = self._clip_there
        if device == CPU:
            self._arrays: list[npt.NDArray[np.float32]] = [norms.numpy() for norms in self._norms]
            self._clips: npt.NDArray[np.float32] = self._column[:, 0].numpy()
            self._clip = self._clip_here

    def step(self, learning_rate: float) -> None:
        """One step of every learner. Clips the gradients in place, as torch's `clip_grad_norm_` does.

        The step is torch's own fused one, which reads and writes everything once.
        """
        for gradients, norms in zip(self._flat, self._norms, strict=True):
            torch.linalg.vector_norm(gradients, dim=1, out=norms)
        self._clip()
        for gradients in self._flat:
            gradients.mul_(self._column)
        self.steps += 1.0
        self._update(learning_rate)

    def _clip_here(self) -> None:
        """By how much each learner's gradient is shortened: so few numbers that numpy is fastest."""
        squares = np.zeros(len(self._column), np.float32)
        for norms in self._arrays:  # one by one: a sum over the sections takes another order where G is 1
            squares += norms * norms
        most = np.float32(self._settings.max_grad_norm)
        np.minimum(most / (np.sqrt(squares) + np.float32(1e-6)), np.float32(1.0), out=self._clips)

    def _clip_there(self) -> None:
        """The same on another device, which nothing has to come back from."""
        whole = torch.linalg.vector_norm(torch.stack(self._norms), dim=0)
        torch.clamp(self._settings.max_grad_norm / (whole + 1e-6), max=1.0, out=self._column[:, 0])

    def _update(self, learning_rate: float) -> None:
        settings = self._settings
        torch._fused_adam_(
            *self._memory,
            lr=learning_rate,
            beta1=settings.betas[0],
            beta2=settings.betas[1],
            weight_decay=settings.weight_decay,
            eps=settings.eps,
            amsgrad=False,
            maximize=False,
        )
