"""Time of an update of SB3's SAC in other forms, and whether they learn the same.

    python benchmarks/sac_updates.py [--updates 60] [--rounds 5] [--batches 64 128 256 512 1024]

On rows of HalfCheetah's size with the domain's networks (256, 256), one thread. All forms run SB3's own `SAC.train` on the
same samples from the same weights; only the critics' class and the optimisers' options differ:

- SB3: two critics, one after the other; Adam goes over the parameters one by one;
- fused: Adam's step as one kernel (`policy_kwargs = {optimizer_kwargs = {fused = true}}`);
- stacked: both critics as one batched matrix product;
- frozen: stacked, and the actor's loss computes no gradients of the critics' weights, which nobody uses;
- all: frozen and fused.

CPU time, the forms in turn within a round, medians over rounds; then how far each form's weights are from SB3's after
the same updates.
"""

from __future__ import annotations

import argparse
import copy
import os
import time
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import gymnasium
import numpy as np
import torch
from stable_baselines3 import SAC
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.vec_env import DummyVecEnv
from stable_baselines3.sac.policies import ContinuousCritic
from torch import nn

OBSERVATION, ACTION, ROWS = 17, 6, 20_000
FORMS: Mapping[str, tuple[bool, bool, bool]] = {  # stacked, frozen, fused
    "SB3": (False, False, False),
    "fused": (False, False, True),
    "stacked": (True, False, False),
    "frozen": (True, True, False),
    "all": (True, True, True),
}


class Still(gymnasium.Env[Any, Any]):
    """HalfCheetah's spaces."""

    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (OBSERVATION,))
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (ACTION,))


class Stacked(nn.Module):
    """SB3's two critics as one: weights (2, in, out), biases (2, 1, out)."""

    def __init__(self, critic: ContinuousCritic, *, frozen: bool, fused: bool) -> None:
        super().__init__()
        pairs = list(zip(*(_linear(each) for each in critic.q_networks), strict=True))
        self.weights = nn.ParameterList([torch.stack([a.weight.T, b.weight.T]).detach() for a, b in pairs])
        self.biases = nn.ParameterList([torch.stack([a.bias, b.bias])[:, None].detach() for a, b in pairs])
        self.frozen = frozen
        self.optimizer = torch.optim.Adam(self.parameters(), lr=3e-4, fused=fused)

    def forward(self, obs: torch.Tensor, actions: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(B, width) each → two of (B, 1). Only the actor's loss has actions with a gradient."""
        still = self.frozen and actions.requires_grad
        x = torch.cat([obs, actions], dim=1).expand(2, -1, -1)
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.relu(x) if number else x
            x = torch.baddbmm(bias.detach(), x, weight.detach()) if still else torch.baddbmm(bias, x, weight)
        return tuple(x)

    def set_training_mode(self, mode: bool) -> None:
        self.train(mode)


def _linear(network: nn.Module) -> list[nn.Linear]:
    return [each for each in network.modules() if isinstance(each, nn.Linear)]


def model(form: str, batch: int) -> SAC:
    """The same weights and the same rows in every form."""
    stacked, frozen, fused = FORMS[form]
    options = {"optimizer_kwargs": {"fused": True}} if fused else {}
    made = SAC(
        "MlpPolicy", DummyVecEnv([Still]), buffer_size=ROWS, batch_size=batch, seed=0, policy_kwargs=options
    )
    made.set_logger(Logger(None, []))
    rng = np.random.default_rng(0)
    buffer: Any = made.replay_buffer
    for rows in (buffer.observations, buffer.next_observations, buffer.rewards):
        rows[:] = rng.normal(size=rows.shape)
    buffer.actions[:] = rng.uniform(-1, 1, size=buffer.actions.shape)
    buffer.full = True
    if stacked:
        fresh = copy.deepcopy(made.critic_target)
        made.critic = Stacked(made.critic, frozen=frozen, fused=fused)  # type: ignore[assignment]
        made.critic_target = Stacked(fresh, frozen=frozen, fused=fused)  # type: ignore[assignment]
    return made


def weights(made: SAC) -> torch.Tensor:
    """Of the actor and both critics, in one order whatever the form."""
    if isinstance(made.critic, Stacked):
        layers = list(zip(made.critic.weights, made.critic.biases, strict=True))
        critics = [part for q in range(2) for w, b in layers for part in (w[q].T, b[q])]
    else:
        critics = [
            part for q in made.critic.q_networks for each in _linear(q) for part in (each.weight, each.bias)
        ]
    return torch.cat([part.detach().reshape(-1) for part in (*made.actor.parameters(), *critics)])


def seconds(made: SAC, batch: int, updates: int) -> float:
    """CPU time of one update."""
    start = time.process_time()
    made.train(updates, batch)
    return (time.process_time() - start) / updates


def agreement(batch: int, updates: int) -> dict[str, float]:
    """Largest difference of a weight from SB3's after the same updates, per form."""
    found = {}
    for form in FORMS:
        made = model(form, batch)
        torch.manual_seed(1)
        np.random.seed(1)  # SB3's buffers draw from the global generator
        made.train(updates, batch)
        found[form] = weights(made)
    return {form: float((each - found["SB3"]).abs().max()) for form, each in found.items()}


def times(batch: int, updates: int, rounds: int) -> dict[str, list[float]]:
    """Per form, CPU time of an update in every round; the first is warming up and left out."""
    models = {form: model(form, batch) for form in FORMS}
    spent: dict[str, list[float]] = {form: [] for form in FORMS}
    for _ in range(rounds + 1):
        for form, made in models.items():
            spent[form].append(seconds(made, batch, updates))
    return {form: each[1:] for form, each in spent.items()}


def show(batches: Sequence[int], updates: int, rounds: int) -> None:
    print(f"update in CPU ms, medians of {rounds} rounds of {updates}; SB3's ÷ the form's, of pairs")
    for batch in batches:
        spent = times(batch, updates, rounds)
        cells = [f"SB3 {median(spent['SB3']) * 1e3:6.2f} ms"]
        for form in list(FORMS)[1:]:
            ratios = sorted(a / b for a, b in zip(spent["SB3"], spent[form], strict=True))
            cells.append(f"{form} {median(ratios):.2f} [{ratios[0]:.2f}, {ratios[-1]:.2f}]")
        print(f"  batch {batch:5}: " + "   ".join(cells), flush=True)
    found = agreement(256, 1), agreement(256, 20)
    for form in list(FORMS)[1:]:
        print(
            f"  {form}: weights differ by {found[0][form]:.1e} after 1 update, {found[1][form]:.1e} after 20"
        )


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--updates", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, nargs="+", default=[64, 128, 256, 512, 1024])
    options = parser.parse_args()
    torch.set_num_threads(1)
    show(options.batches, options.updates, options.rounds)


if __name__ == "__main__":
    main()
