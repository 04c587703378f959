"""PPO of K learners on one batch of envs: policies, optimizer and minibatches are stacked, (K, ...).

The algorithm is SB3's `PPO`, after Schulman et al. 2017, "Proximal Policy Optimization Algorithms". Nothing
is summed over learners; each has its own generator, statistics and gradient norm. Rewards come from the
caller, at the end of each rollout.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from stable_baselines3 import PPO
from torch import Tensor

from eureka_loop.records import Array
from eureka_loop.simulate.batched import BatchedEnvs
from eureka_loop.train.hyperparameters import Settings
from eureka_loop.train.metrics import share_of_bounds
from eureka_loop.train.normalization import Flags, Floats, ObservationScale, RewardScale
from eureka_loop.train.population.policies import CPU, StackedPolicies

LOG_2PI = math.log(2.0 * math.pi)
CHUNK = 1_024  # steps of a learner whose values are computed at once
LOGGED = ("policy_gradient_loss", "value_loss", "entropy_loss", "loss", "clip_fraction", "approx_kl")


class Rollout(NamedTuple):
    """T steps of K learners with n envs each."""

    observations: Floats  # (T + 1, K, n, D), scaled; the last is the state after the rollout
    actions: Floats  # (T, K, n, A), before clipping to the action space
    log_probs: Floats  # (T, K, n)
    dones: Flags  # (T, K, n), whether the step ended its episode
    bootstraps: Floats  # (T, K, n), discounted value of the state in which a time limit ended it, else 0


class PopulationPPO:
    """
    Args:
        models: SB3's, one a learner, just made, with the same hyperparameters and each its own seed.
        envs: K · n of them, learner by learner.

    Attributes:
        active: learners that still train. The others keep their slot: zero actions, no updates.
        observation_scale, reward_scale: each learner's running statistics.
        policies: their parameters.
    """

    def __init__(self, models: Sequence[PPO], options: Settings, envs: BatchedEnvs) -> None:
        self.model, self._envs, self.active = models[0], envs, list(range(len(models)))
        learners, n = len(models), options.n_envs
        device = torch.device(options.arguments["device"])
        self.policies = StackedPolicies([model.policy for model in models], device)
        self._networks, parameters = self.policies.networks(), self.policies.parameters
        self._gradient, exp_avg, exp_avg_sq = (torch.zeros_like(parameters) for _ in range(3))
        self._tensors = parameters, exp_avg, exp_avg_sq, torch.zeros(learners, device=device)
        self._adam_tensors = (*self._tensors[:3], self._tensors[3][0], self._gradient)
        self._adam_rows = [each.unbind() for each in (*self._tensors, self._gradient)]
        self._random = [np.random.default_rng(model.seed) for model in models]
        self.observation_scale = ObservationScale(
            learners, envs.observation_size, enabled=options.normalize_observation
        )
        self.reward_scale = RewardScale(learners, n, self.model.gamma, enabled=options.normalize_reward)
        self._last_obs = self._observed(envs.reset().reshape(learners, n, -1))

    @property
    def learners(self) -> int:
        return len(self._random)

    # rollout

    def collect(self) -> Rollout:
        """T steps of every env."""
        steps, learners, n = self.model.n_steps, self.learners, self._last_obs.shape[1]
        low, high = (bound.astype(np.float32) for bound in (self._envs.action_low, self._envs.action_high))
        actions = np.stack(
            [each.standard_normal((steps, n, len(low)), np.float32) for each in self._random], 1
        )
        observations = np.empty((steps + 1, *self._last_obs.shape), np.float32)
        observations[0] = self._last_obs
        dones = np.zeros((steps, learners, n), np.bool_)
        bootstraps = np.zeros(dones.shape, np.float32)
        idle = [learner for learner in range(learners) if learner not in self.active]
        # Divergence is found after the rollout.
        with torch.inference_mode(), np.errstate(over="ignore", invalid="ignore"):
            networks = self.policies.networks(CPU)
            mean_actions, std = networks.actor.on_cpu(), networks.log_std.exp().numpy()
            log_probs = -0.5 * np.square(actions).sum(-1) - (np.log(std) + 0.5 * LOG_2PI).sum(-1)
            actions *= std
            for t in range(steps):
                actions[t] += mean_actions(observations[t])
                if idle:
                    actions[t, idle] = 0.0
                clipped = np.minimum(np.maximum(actions[t], low), high)
                step = self._envs.step(clipped.reshape(learners * n, -1))
                observations[t + 1] = self._observed(step.obs.reshape(learners, n, -1))
                dones[t] = (step.terminated | step.truncated).reshape(learners, n)
                if step.truncated.any():
                    cut = (step.truncated & ~step.terminated).reshape(learners, n)
                    last = self.observation_scale.apply(step.terminal_obs.reshape(learners, n, -1))
                    values = networks.critic.forward(torch.from_numpy(last))[..., 0].numpy()
                    bootstraps[t] = values * np.float32(self.model.gamma) * cut
        self._last_obs = observations[-1]
        return Rollout(observations, actions, log_probs, dones, bootstraps)

    def action_noise(self, learner: int) -> float | None:
        """See `Checkpoint`."""
        std = self.policies.networks().log_std[learner, 0].exp().numpy(force=True)
        return share_of_bounds(std, self._envs.action_low, self._envs.action_high)

    def _observed(self, observations: Array) -> Floats:
        self.observation_scale.update(observations)
        return self.observation_scale.apply(observations)

    # update

    def update(
        self, rewards: Array, rollout: Rollout, progress_remaining: float
    ) -> dict[int, dict[str, float]]:
        """Update every active learner.

        Args:
            rewards: (T, K, n), unscaled.
            progress_remaining: of the training, from 1 to 0, for the schedules.

        Returns:
            Learner → the values that SB3 logs, as means over the last minibatch of each epoch, and the
            number of "epochs".
        """
        model = self.model
        model._current_progress_remaining = progress_remaining
        self.reward_scale.update(rewards, rollout.dones)
        scaled = self.reward_scale.apply(rewards).astype(np.float32) + rollout.bootstraps
        values = self._values(rollout.observations)
        advantages = compute_gae(scaled, values, rollout.dones, model.gamma, model.gae_lambda)
        returns = advantages + values[:-1]
        with torch.inference_mode():
            rows = self._rows(rollout, values[:-1], advantages, returns)
            logged, epochs = self._epochs(rows)
        spread = np.maximum(returns.var(axis=(0, 2)), 1e-38)
        explained = 1.0 - (returns - values[:-1]).var(axis=(0, 2)) / spread
        table = np.column_stack([logged / np.maximum(epochs, 1.0)[:, None], explained, epochs])
        names = (*LOGGED, "explained_variance", "epochs")
        return {learner: dict(zip(names, table[learner].tolist(), strict=True)) for learner in self.active}

    def _values(self, observations: Floats) -> Floats:
        """(T + 1, K, n)."""
        device = self.policies.parameters.device
        with torch.inference_mode():
            by_learner = torch.from_numpy(observations).transpose(0, 1).flatten(1, 2)  # (K, (T + 1) · n, D)
            chunks = [
                self._networks.critic.forward(each.to(device))[..., 0]
                for each in torch.split(by_learner, CHUNK, dim=1)
            ]
            values: Floats = torch.cat(chunks, dim=1).cpu().numpy()
        return values.reshape(observations.shape[1], len(observations), -1).swapaxes(0, 1)

    def _rows(self, rollout: Rollout, values: Floats, advantages: Floats, returns: Floats) -> Tensor:
        """(K, n · T, D + A + 4): all that a step contributes to an update, env by env as in SB3's buffer."""
        numbers = np.stack([rollout.log_probs, values, advantages, returns], axis=-1)
        rows = np.concatenate([rollout.observations[:-1], rollout.actions, numbers], axis=-1)
        by_env = torch.from_numpy(rows).permute(1, 2, 0, 3)  # (K, n, T, ...)
        return by_env.flatten(1, 2).contiguous().to(self.policies.parameters.device)

    def _epochs(self, rows: Tensor) -> tuple[Array, Array]:
        """The values logged, summed over epochs, (K, L), and the number of epochs, (K,)."""
        model, (learners, samples, width) = self.model, rows.shape
        logged, epochs = np.zeros((learners, len(LOGGED))), np.zeros(learners)

        def end_epoch(ended: Sequence[int], terms: LossTerms) -> None:
            if ended:
                logged[ended] += terms.logged(model).cpu().numpy()[ended]
                epochs[ended] += 1

        first, running = samples * np.arange(learners)[:, None], list(self.active)
        for _ in range(model.n_epochs):
            order = np.stack([each.permutation(samples) for each in self._random]) + first
            for places in torch.split(torch.from_numpy(order).to(rows.device), model.batch_size, dim=1):
                batch = rows.view(-1, width).index_select(0, places.flatten()).view(*places.shape, width)
                terms = self._derive(batch)
                if model.target_kl is not None:
                    divergence = terms.approx_kl().tolist()
                    stopped = [each for each in running if divergence[each] > 1.5 * model.target_kl]
                    end_epoch(stopped, terms)
                    running = [each for each in running if each not in stopped]
                    if not running:
                        return logged, epochs
                self._adam(running)
            end_epoch(running, terms)
        return logged, epochs

    def _derive(self, batch: Tensor) -> LossTerms:
        """Gradient (K, P) of the loss of a minibatch (K, B, D + A + 4), and the loss.

        With z = (action - mean) / std, the derivative of the policy's loss by the log-probability is
        -advantage * ratio where that isn't clipped, else 0; of the log-probability by the mean it is z / std,
        by log_std z^2 - 1.
        """
        model, inputs, size = self.model, self._last_obs.shape[-1], batch.shape[1]
        clip_range = self._scheduled("clip_range")
        sizes = [inputs, batch.shape[-1] - inputs - 4, 4]
        observations, actions, numbers = torch.split(batch, sizes, dim=-1)
        old_log_prob, old_value, advantage, returns = numbers.unbind(-1)
        if model.normalize_advantage and size > 1:
            std, mean = torch.std_mean(advantage, dim=1, keepdim=True)
            advantage = (advantage - mean) / (std + 1e-8)
        actor, critic, log_std = self._networks
        inverse_std = (-log_std).exp()
        z = (actions - actor.forward(observations)) * inverse_std
        z_squared = z.square()
        constant = log_std.sum((1, 2)) + 0.5 * LOG_2PI * z.shape[-1]
        log_ratio = -0.5 * z_squared.sum(-1) - constant[:, None] - old_log_prob
        ratio = log_ratio.exp()
        gain = advantage * ratio
        clipped = advantage * ratio.clamp(1.0 - clip_range, 1.0 + clip_range)
        by_log_prob = (gain * (gain <= clipped) / -size)[..., None]
        values = critic.forward(observations)[..., 0]
        error = values - returns
        by_value = error * (2.0 * model.vf_coef / size)
        if model.clip_range_vf is not None:
            clip_range_vf = self._scheduled("clip_range_vf")
            moved = values - old_value
            error = old_value + moved.clamp(-clip_range_vf, clip_range_vf) - returns
            by_value = error * (moved.abs() <= clip_range_vf) * (2.0 * model.vf_coef / size)
        by_log_std = (by_log_prob * (z_squared - 1.0)).sum(1) - model.ent_coef
        layers = actor.backward(by_log_prob * z * inverse_std) + critic.backward(by_value[..., None])
        torch.cat([by_log_std, *(each.flatten(1) for each in layers)], dim=1, out=self._gradient)
        entropy_loss = -(constant + 0.5 * z.shape[-1])
        return LossTerms(gain, clipped, error, entropy_loss, log_ratio, clip_range)

    def _scheduled(self, name: str) -> float:
        """The value that one of SB3's schedules has now."""
        return float(getattr(self.model, name)(self.model._current_progress_remaining))

    def _adam(self, running: Sequence[int]) -> None:
        """One step of these learners; each gradient is clipped by its own norm, as by `clip_grad_norm_`."""
        norm = torch.linalg.vector_norm(self._gradient, dim=1, keepdim=True)
        self._gradient *= (self.model.max_grad_norm / (norm + 1e-6)).clamp(max=1.0)
        if self.model.target_kl is None:  # all are at the same step; idle learners have gradient 0
            if len(running) < self.learners:
                self._gradient[[k for k in range(self.learners) if k not in running]] = 0.0
            self._tensors[3].add_(1.0)
            parameters, exp_avg, exp_avg_sq, steps, gradients = ([each] for each in self._adam_tensors)
        else:
            parameters, exp_avg, exp_avg_sq, steps, gradients = (
                [each[k] for k in running] for each in self._adam_rows
            )
            torch._foreach_add_(steps, 1.0)
        lr, given = self._scheduled("lr_schedule"), self.model.policy.optimizer.defaults
        options = {"beta1": given["betas"][0], "beta2": given["betas"][1]}
        options |= {key: given[key] for key in ("eps", "weight_decay", "amsgrad", "maximize")}
        torch._fused_adam_(parameters, gradients, exp_avg, exp_avg_sq, [], steps, lr=lr, **options)

    # state

    def diverged(self) -> list[int]:
        """Active learners whose parameters or observations are not finite."""
        finite = self.policies.parameters.isfinite().all(1).cpu().numpy() & self.observation_scale.finite()
        return [learner for learner in self.active if not finite[learner]]

    def stop(self, learner: int) -> None:
        """Leave the learner's slot idle from now on."""
        self.active.remove(learner)
        for tensor in self._tensors[:3]:
            tensor[learner] = 0.0

    def export(self, learner: int, model: PPO) -> None:
        """Copy parameters and Adam's moments into SB3's model."""
        *rows, step = (each[learner].to(CPU, copy=True) for each in self._tensors)
        parameters, exp_avg, exp_avg_sq = map(self.policies.of_sb3, rows)
        model.policy.load_state_dict(parameters)
        state = {
            at: {"step": step.clone(), "exp_avg": exp_avg[name], "exp_avg_sq": exp_avg_sq[name]}
            for at, (name, _) in enumerate(model.policy.named_parameters())
        }
        optimizer = model.policy.optimizer
        optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


class LossTerms(NamedTuple):
    """Parts of a minibatch's loss, (K, B) each, and the entropy's, (K,)."""

    gain: Tensor  # advantage times ratio
    clipped: Tensor  # the same with the ratio clipped
    error: Tensor  # of the values
    entropy_loss: Tensor
    log_ratio: Tensor  # of new to old probabilities
    clip_range: float

    def approx_kl(self) -> Tensor:
        """SB3's estimate of the divergence from the rollout's policy, (K,)."""
        return (self.log_ratio.exp() - 1.0 - self.log_ratio).mean(1)

    def logged(self, model: PPO) -> Tensor:
        """The values named in LOGGED, (K, L)."""
        policy_loss = -torch.minimum(self.gain, self.clipped).mean(1)
        value_loss = self.error.square().mean(1)
        loss = policy_loss + model.ent_coef * self.entropy_loss + model.vf_coef * value_loss
        clip_fraction = ((self.log_ratio.exp() - 1.0).abs() > self.clip_range).float().mean(1)
        values = policy_loss, value_loss, self.entropy_loss, loss, clip_fraction, self.approx_kl()
        return torch.stack(values, dim=1)


def compute_gae(rewards: Floats, values: Floats, dones: Flags, gamma: float, gae_lambda: float) -> Floats:
    """Generalised advantage estimates, (T, ...).

    Args:
        rewards: (T, ...), time limits' bootstraps included.
        values: (T + 1, ...), the last of the state after the rollout.
        dones: (T, ...), whether the step ended its episode.

    Source: Schulman et al. 2016, "High-Dimensional Continuous Control Using Generalized Advantage
    Estimation", equation 16.
    """
    going = 1.0 - dones.astype(np.float32)
    deltas = rewards + gamma * values[1:] * going - values[:-1]
    decay = gamma * gae_lambda * going
    advantage = np.zeros_like(deltas[0])
    for t in reversed(range(len(deltas))):
        deltas[t] = advantage = deltas[t] + decay[t] * advantage
    return deltas
