"""Learners that are updated together, in one thread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from stable_baselines3 import PPO
from torch import Tensor, nn

from eureka_loop.train.population.adam import AdamSettings, StackedAdam
from eureka_loop.train.population.layout import CPU, Layout, Row
from eureka_loop.train.population.loss import Loss, Rates, log_probs
from eureka_loop.train.population.minibatches import LOG_PROB, VALUE, Indices, Minibatch, Shuffler
from eureka_loop.train.population.networks import ACTIVATIONS, Activation, Networks

WIDE = 256  # samples at a time, where nothing has to come back
Orders = npt.NDArray[np.int64]
Losses = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Rules:
    """What stays the same through a training, from SB3's own objects; the layout says on which device."""

    layout: Layout
    activation: Activation
    adam: AdamSettings
    ent_coef: float
    vf_coef: float
    target_kl: float | None

    @classmethod
    def of(cls, model: PPO, device: torch.device = CPU) -> Self:
        defaults = model.policy.optimizer.defaults
        adam = AdamSettings(defaults["betas"], defaults["eps"], defaults["weight_decay"], model.max_grad_norm)
        return cls(
            layout=Layout(model.policy, device),
            activation=ACTIVATIONS[model.policy.activation_fn],
            adam=adam,
            ent_coef=model.ent_coef,
            vf_coef=model.vf_coef,
            target_kl=model.target_kl,
        )


@dataclass(frozen=True, slots=True)
class LearnerState:
    """One learner's parameters, and Adam's means and count of steps."""

    parameters: Row
    moments: tuple[Row, Row]
    steps: int

    @classmethod
    def fresh(cls, parameters: Row) -> Self:
        zeros = [[torch.zeros_like(part) for part in parameters] for _ in range(2)]
        return cls(parameters, (zeros[0], zeros[1]), 0)

    def snapshot(self) -> list[Any]:
        rows = [[part.cpu().numpy() for part in row] for row in (self.parameters, *self.moments)]
        return [*rows, self.steps]

    @classmethod
    def of(cls, snapshot: Sequence[Any]) -> Self:
        parameters, first, second = ([torch.from_numpy(part) for part in row] for row in snapshot[:3])
        return cls(parameters, (first, second), snapshot[3])


class Group:
    """
    Args:
        members: (G,) their places among all learners.

    Attributes:
        sections: of the parameters.
    """

    def __init__(
        self, rules: Rules, shuffler: Shuffler, members: Indices, states: Sequence[LearnerState]
    ) -> None:
        layout = rules.layout
        self.members, self.rules, self._shuffler = members, rules, shuffler
        flat, self.sections = layout.zeros(len(members))
        steps = [state.steps for state in states]
        apart = rules.target_kl is not None
        self._adam = StackedAdam(layout, (flat, self.sections), rules.adam, steps, apart=apart)
        gradients = self._adam.gradients
        self._networks = Networks(layout, rules.activation, self.sections, shuffler.width, gradients)
        heads, derivatives = self._networks.heads, self._networks.derivatives
        self._loss = Loss(heads, derivatives, ent_coef=rules.ent_coef, vf_coef=rules.vf_coef)
        for index, state in enumerate(states):
            self._put(index, state)

    def state(self, index: int) -> LearnerState:
        """A copy, of the member at this place in the group."""
        first, second = ([part[index].clone() for part in each] for each in self._adam.moments)
        parameters = [part[index].clone() for part in self.sections]
        return LearnerState(parameters, (first, second), int(self._adam.steps[index]))

    def finite(self) -> npt.NDArray[np.bool_]:
        """(G,), whether all of a member's parameters are."""
        sound = [torch.isfinite(section).flatten(1).all(dim=1) for section in self.sections]
        return np.asarray(torch.stack(sound).all(dim=0).cpu().numpy())

    def evaluate(self, rows: Tensor) -> None:
        """Fill in what the members' networks say of their rows: values and log-probabilities."""
        fields, members = self._shuffler.fields, torch.from_numpy(self.members).to(rows.device)
        count = rows.shape[1]
        width = min(count, WIDE)
        networks = Networks(self.rules.layout, self.rules.activation, self.sections, width)
        inputs = rows[..., : fields.inputs + 1].index_select(0, members)
        actions = rows[..., fields.action].index_select(0, members).transpose(1, 2)
        extras = torch.zeros(len(members), count, 2, device=rows.device)
        for start in range(0, count, width):
            part = slice(min(start, count - width), min(start, count - width) + width)
            networks.forward(inputs[:, part].transpose(1, 2))
            extras[:, part, VALUE] = networks.heads.values
            extras[:, part, LOG_PROB] = log_probs(networks.heads, actions[:, :, part])
        rows[members, :, fields.extra(VALUE) : fields.extra(LOG_PROB) + 1] = extras

    def values(self, index: int, observations: Tensor) -> Tensor:
        """What the member at this place in the group expects of these states: (m, inputs) → (m,)."""
        own = [section[index : index + 1] for section in self.sections]
        networks = Networks(self.rules.layout, self.rules.activation, own, len(observations))
        seen = observations.to(self.rules.layout.device)
        networks.forward(nn.functional.pad(seen, (0, 1), value=1.0).T[None])
        return networks.heads.values[0]

    def learn(self, rows: Tensor, orders: Iterable[Orders], rates: Rates) -> list[Losses]:
        """One update of every member, PPO's `train`.

        Args:
            rows: of all learners, see `Shuffler`.
            orders: (G, samples) for each epoch.

        Returns:
            A member each: what SB3 logs, but as means over every epoch's last minibatch instead of over all.
        """
        update = _Update([[] for _ in self.members], {})
        for order in orders:
            if len(update.stopped) == len(self.members):
                break
            for batch in self._shuffler.epoch(rows, self.members, order):
                if not self._minibatch(batch, rates, update):
                    break
            self._note(update, rates, update.running)
        for index, state in update.stopped.items():
            self._put(index, state)
        return [_means(each) for each in update.losses]

    def _minibatch(self, batch: Minibatch, rates: Rates, update: _Update) -> bool:
        """One step of Adam; False where nobody takes it, because all have gone too far."""
        self._networks.forward(batch.features)
        self._loss.derive(batch, rates)
        if self.rules.target_kl is not None:
            self._stop(1.5 * self.rules.target_kl, rates, update)
            if not update.running:
                return False
        self._networks.backward(batch.inputs)
        self._adam.step(rates.learning_rate)
        return True

    def _stop(self, limit: float, rates: Rates, update: _Update) -> None:
        """Keep those who went too far as they are. The others go on; what these do meanwhile is undone."""
        kl = self._loss.kl().tolist()
        far = [index for index in update.running if kl[index] > limit]
        if far:
            self._note(update, rates, far)
            update.stopped.update({index: self.state(index) for index in far})

    def _note(self, update: _Update, rates: Rates, chosen: Sequence[int]) -> None:
        if not chosen:
            return
        losses = self._loss.losses(rates)
        table = torch.stack(list(losses.values()), dim=1).tolist()  # at once: each wait for a device costs
        for index in chosen:
            update.losses[index].append(dict(zip(losses, table[index], strict=True)))

    def _put(self, index: int, state: LearnerState) -> None:
        rows = (state.parameters, *state.moments)
        for sections, row in zip((self.sections, *self._adam.moments), rows, strict=True):
            for section, part in zip(sections, row, strict=True):
                section[index] = part
        self._adam.steps[index] = state.steps


@dataclass(frozen=True, slots=True)
class _Update:
    """
    Attributes:
        losses: of each member, at the end of each epoch it began.
        stopped: members whose divergence passed the target, as they were then.
    """

    losses: list[list[Losses]]
    stopped: dict[int, LearnerState]

    @property
    def running(self) -> list[int]:
        return [index for index in range(len(self.losses)) if index not in self.stopped]


def _means(losses: list[Losses]) -> Losses:
    means = {name: sum(each[name] for each in losses) / len(losses) for name in losses[0]}
    return {**means, "epochs": float(len(losses))}
