"""What every body offers: pose, axes, velocities, contact, and what it has done since the start."""

from __future__ import annotations

from collections.abc import Iterator

import mujoco

from eureka_loop.reward.vocabulary import Observable
from eureka_loop.simulate.kinematics import point_velocity, turned, yaw_change
from eureka_loop.simulate.model import Model
from eureka_loop.simulate.naming import Namer
from eureka_loop.simulate.quantities import FromContacts, Quantity, Slice, as_is, slice_of

SUFFIXES = (
    *("pos", "quat", "up", "forward", "left", "linvel", "angvel"),
    *("contact_force", "ground_force", "turn", "yaw_total", "air_time"),
)


def body_quantities(model: Model, namer: Namer, dt: float) -> Iterator[Quantity]:
    """All bodies' quantities in the model's order; the world itself has none."""
    for body in range(1, model.mj.nbody):
        named = model.name(mujoco.mjtObj.mjOBJ_BODY, body)
        word = namer.name(named, "body", body, [f"{{}}_{suffix}" for suffix in SUFFIXES])
        yield from _pose(word, body, _who(model, body, word))
        if not model.is_static(body):
            yield from _motion(word, body, int(model.mj.body_rootid[body]))
        if model.collides(body):
            yield from _contact(word, body, dt, still=model.is_static(body))


def _who(model: Model, body: int, word: str) -> str:
    """The body, told by what is fixed to it where the model gives it no name."""
    if model.name(mujoco.mjtObj.mjOBJ_BODY, body):
        return f"body {word}"
    joints = range(model.mj.body_jntadr[body], model.mj.body_jntadr[body] + model.mj.body_jntnum[body])
    parts = [f"joint {model.name(mujoco.mjtObj.mjOBJ_JOINT, joint)}" for joint in joints]
    parts += [f"geom {model.name(mujoco.mjtObj.mjOBJ_GEOM, geom)}" for geom in model.geoms(body)]
    return f"{word}, a nameless body ({', '.join(part for part in parts if not part.endswith(' '))})"


def _pose(word: str, body: int, who: str) -> Iterator[Quantity]:
    quat, axes = slice_of("xquat", body, 4), slice_of("xmat", body, 9, (3, 3))
    place = Observable(f"{word}_pos", (3,), "m", "world", f"position of the origin of {who}", word)
    yield Quantity(place, (slice_of("xpos", body, 3),), as_is)
    turn = Observable(f"{word}_quat", (4,), "", "world", f"orientation of {word} (w, x, y, z)", word)
    yield Quantity(turn, (quat,), as_is)
    for axis, suffix in ((2, "up"), (0, "forward"), (1, "left")):
        text = f"unit vector: {word}'s own {'xyz'[axis]} axis, as it points in the world"
        observable = Observable(f"{word}_{suffix}", (3,), "", "world", text, word)
        yield Quantity(observable, (axes,), lambda xmat, axis=axis: xmat[:, :, axis])


def _motion(word: str, body: int, root: int) -> Iterator[Quantity]:
    cvel, place = slice_of("cvel", body, 6), slice_of("xpos", body, 3)
    text = f"velocity of the origin of {word}"
    linvel = Observable(f"{word}_linvel", (3,), "m/s", "world", text, word)
    yield Quantity(linvel, (cvel, slice_of("subtree_com", root, 3), place), point_velocity)
    text = f"angular velocity of {word}, right-handed about the world's axes"
    angvel = Observable(f"{word}_angvel", (3,), "rad/s", "world", text, word)
    yield Quantity(angvel, (Slice("cvel", body * 6, body * 6 + 3, (3,)),), as_is)
    text = (
        f"angle {word} has turned about the world's x, y, z axes since the episode's start, unwrapped: "
        "a full turn adds 2 pi, turning back takes it off; right-handed, so +z is to the left seen from above"
    )
    turn = Observable(f"{word}_turn", (3,), "rad", "world", text, word)
    yield Quantity(turn, (f"prev_{word}_quat", f"{word}_quat"), turned, memory="sum")
    text = (
        f"how far {word} has turned to the left, seen from above, since the episode's start, unwrapped: "
        "a full turn adds 2 pi; negative: to the right; somersaults don't count"
    )
    yaw = Observable(f"{word}_yaw_total", (), "rad", "world", text, word)
    needs = (f"prev_{word}_quat", f"{word}_quat", f"prev_{word}_forward", f"{word}_forward")
    yield Quantity(yaw, needs, yaw_change, memory="sum")


def _contact(word: str, body: int, dt: float, *, still: bool) -> Iterator[Quantity]:
    text = f"net force of all contacts on {word}, at the step's end"
    net = Observable(f"{word}_contact_force", (3,), "N", "world", text, word)
    yield Quantity(net, (FromContacts("net", body),), as_is)
    if still:
        return
    text = f"force on {word} from the ground and other fixed geoms only, at the step's end; +z pushes it up"
    ground = Observable(f"{word}_ground_force", (3,), "N", "world", text, word)
    yield Quantity(ground, (FromContacts("ground", body),), as_is)
    yield from air_time(f"{word}_air_time", word, body, dt, f"{word} last touched the ground")


def air_time(name: str, group: str, body: int, dt: float, since: str) -> Iterator[Quantity]:
    """Seconds off the ground; the steps are counted as whole numbers, so that no rounding adds up."""
    steps = Observable(f"~{name}", ())
    yield Quantity(steps, (FromContacts("touch", body),), as_is, memory="count")
    text = f"time since {since}, or since the episode's start; 0 while it touches, seen at each step's end"
    yield Quantity(Observable(name, (), "s", "", text, group), (f"~{name}",), lambda count: count * dt)
