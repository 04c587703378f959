"""An env's whole vocabulary, and recorders for parts of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import gymnasium

from eureka_loop.envs.domain import Domain, DomainObservable
from eureka_loop.errors import BadInput, UnknownName
from eureka_loop.reward.vocabulary import Observable, Vocabulary
from eureka_loop.simulate.basics import goal_quantities, info_quantities, state_quantities, step_quantities
from eureka_loop.simulate.bodies import body_quantities
from eureka_loop.simulate.documentation import documentation
from eureka_loop.simulate.elements import geom_quantities, sensor_quantities, site_quantities
from eureka_loop.simulate.evaluation import split
from eureka_loop.simulate.facts import constants
from eureka_loop.simulate.joints import joint_quantities, joint_words
from eureka_loop.simulate.model import Model, model_of
from eureka_loop.simulate.naming import Namer
from eureka_loop.simulate.quantities import Quantity
from eureka_loop.simulate.recorder import Recorder
from eureka_loop.simulate.trial import try_out


class Instruments:
    """What can be measured in an env.

    Making them resets the env and takes one step, to see what its `info` holds: reset it (with the seed you
    want) before use.

    Attributes:
        quantities: name → how it is computed; names that begin with "~" are for other quantities only.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], domain: Domain) -> None:
        """
        Raises:
            BadInput: the env isn't MuJoCo's, or a domain file's observable can't be computed.
        """
        model = model_of(env)
        trial = try_out(env)
        dt = trial.dt
        horizon = env.spec.max_episode_steps if env.spec else None
        fixed = [
            *step_quantities(env, dt, horizon),
            *goal_quantities(env),
            *info_quantities(trial.infos),
            *state_quantities(model, dt),
        ]
        own = [_domain_quantity(domain, each) for each in domain.observables]
        _refuse_clashes(own, fixed)
        namer = Namer(quantity.name for quantity in [*own, *fixed])
        joints = joint_words(model, namer)
        automatic = [*fixed, *_automatic(model, namer, joints, dt)]
        everything = sorted([*own, *(_unless_left_out(each, domain) for each in automatic)], key=_place)
        self.quantities: Mapping[str, Quantity] = {quantity.name: quantity for quantity in everything}
        for quantity in own:
            _check_needs(quantity, self.quantities)
        self.vocabulary = Vocabulary(
            env_id=env.spec.id if env.spec else type(env.unwrapped).__name__,
            observables=tuple(each.observable for each in everything if not each.name.startswith("~")),
            constants=constants(model, joints, trial),
            horizon=horizon,
            dt=dt,
            documentation=documentation(env),
        )

    def recorder(self, names: Iterable[str], n_envs: int) -> Recorder:
        """A recorder of these parameters (`prev_` and `init_` allowed) for `n_envs` envs of this kind.

        Raises:
            UnknownName: with the nearest names.
        """
        names = tuple(names)
        for name in names:
            self.vocabulary.resolve(name, hidden=True)
        return Recorder(self.quantities, names, n_envs)


def _automatic(model: Model, namer: Namer, joints: dict[int, str], dt: float) -> list[Quantity]:
    return [
        *joint_quantities(model, joints),
        *body_quantities(model, namer, dt),
        *site_quantities(model, namer),
        *geom_quantities(model, namer),
        *sensor_quantities(model, namer),
    ]


def _unless_left_out(quantity: Quantity, domain: Domain) -> Quantity:
    """Hidden where the domain says that it misleads."""
    if not quantity.name.startswith(domain.left_out):
        return quantity
    return replace(quantity, observable=replace(quantity.observable, hidden=True))


def _place(quantity: Quantity) -> int:
    """Where in the table: the domain's own first, hidden ones last, the rest as they come."""
    if quantity.observable.hidden:
        return 3
    if quantity.origin:
        return 0
    return 2 if quantity.observable.group == "state" else 1


def _domain_quantity(domain: Domain, declared: DomainObservable) -> Quantity:
    observable = Observable(
        name=declared.name,
        shape=declared.shape,
        unit=declared.unit,
        frame=declared.frame,
        description=declared.description,
        group=domain.name,
        hidden=declared.hidden,
    )
    return Quantity(
        observable,
        declared.needs,
        declared.function,
        origin=f"domain {domain.name!r} ({declared.function.__module__})",
    )


def _refuse_clashes(own: list[Quantity], fixed: list[Quantity]) -> None:
    taken = {quantity.name for quantity in fixed}
    for quantity in own:
        if quantity.name in taken:
            raise BadInput(
                f"{quantity.origin}: there is a {quantity.name!r} already; give the observable another name"
            )
        taken.add(quantity.name)


def _check_needs(quantity: Quantity, quantities: Mapping[str, Quantity]) -> None:
    """
    Raises:
        BadInput: it needs a name that doesn't exist, or itself.
    """

    def visit(current: Quantity, path: tuple[str, ...]) -> None:
        if current.name in path:
            circle = " → ".join((*path[path.index(current.name) :], current.name))
            raise BadInput(f"{quantity.origin}: observables need each other in a circle: {circle}")
        for need in _names(current):
            try:
                base = split(need, quantities)[1]
            except KeyError:
                known = [name for name in quantities if not name.startswith("~")]
                unknown = UnknownName("observable", need, known)
                raise BadInput(f"{current.origin}: observable {current.name!r} needs an {unknown}") from None
            visit(quantities[base], (*path, current.name))

    visit(quantity, ())


def _names(quantity: Quantity) -> Iterator[str]:
    return (need for need in quantity.needs if isinstance(need, str))
