"""Members that step and learn together: their envs are one batch, their learners one population."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from eureka_loop.envs.domain import Domain
from eureka_loop.seeds import env_seeds
from eureka_loop.simulate.batched import BatchedEnvs
from eureka_loop.simulate.step_buffer import Transitions
from eureka_loop.train.hyperparameters import Settings
from eureka_loop.train.population.engine import Population
from eureka_loop.train.population.member import Member, part


class Crew:
    """
    Args:
        members: of one task, with the same hyperparameters.
        names: to be recorded beside what the members' programs ask for.
        threads: that step the envs.

    Attributes:
        members: by place; some may have left since ranks were closed.
        population: their learners, in the same places.
    """

    def __init__(
        self,
        members: Sequence[Member],
        options: Settings,
        domain: Domain,
        names: Iterable[str],
        threads: int = 1,
    ) -> None:
        self._options, self._domain, self._names, self._threads = options, domain, tuple(names), threads
        self._muster(members)

    @property
    def alive(self) -> list[tuple[int, Member]]:
        """Those still learning, with their places."""
        return [(place, self.members[place]) for place in self.population.alive]

    def transitions(self) -> list[tuple[int, Member, Transitions]]:
        """What each of those has lived through since the last call."""
        taken = self._envs.take()
        return [(place, member, part(taken, place, self._options.n_envs)) for place, member in self.alive]

    def drop(self, leaving: Collection[Member]) -> None:
        """These learn no more; some may have left before."""
        self.population.drop(place for place, member in enumerate(self.members) if member in leaving)

    def close_ranks(self) -> None:
        """Go on without the places of those who left: empty they cost as much.

        To be called before the next rollout. It takes some 40 ms.
        """
        if 0 < len(self.alive) < len(self.members):
            stand = self.snapshots()
            self.close()
            del self._envs, self.population  # their memory, before the new ones'
            self._muster(list(stand))
            self.restore(list(stand.values()))

    def snapshots(self) -> dict[Member, dict[str, Any]]:
        """All that the envs and learners of those still learning need to go on, after a rollout."""
        n, learners = self._options.n_envs, self.population.snapshots()
        return {
            self.members[place]: {
                "learner": learner,
                "envs": self._envs.snapshot(slice(place * n, (place + 1) * n)),
            }
            for place, learner in learners.items()
        }

    def restore(self, snapshots: Sequence[Mapping[str, Any]]) -> None:
        """Have every member go on where the one of its place stood."""
        self.population.restore([each["learner"] for each in snapshots])
        self._envs.restore([each["envs"] for each in snapshots])

    def close(self) -> None:
        """End the envs."""
        self._envs.close()

    def _muster(self, members: Sequence[Member]) -> None:
        self.members = members
        task, n = members[0].job.task, self._options.n_envs
        names = [name for member in members for name in member.parameters]
        seeds = [seed for member in members for seed in env_seeds(member.job.seed, n)]
        asked = [*names, *self._names]
        self._envs = BatchedEnvs(task, self._domain, asked, len(seeds), seeds, self._threads)
        self.population = Population([member.model for member in members], self._options, self._envs)
