"""What an ant can do beyond running forward: turn on the spot, walk a circle.

The names are `ant.py`'s. The rewards are ours: the env's own is for running forward.
"""

from __future__ import annotations

from eureka_loop.records import Task

from .domain import OURS

TURN = Task(
    name="ant-turn",
    env_id="Ant-v5",
    text="Make the ant turn left on the spot, as many whole turns as possible, without tipping over.",
    fitness='''\
SPOT = 1.0  # m
UP = 0.5  # cosine of 60 degrees

def fitness(torso_yaw_total, prev_torso_yaw_total, torso_pos, init_torso_pos, torso_upright):
    """Whole turns to the left within 1 m of the start and upright; turns to the right always take off."""
    turned = torso_yaw_total - prev_torso_yaw_total
    near = np.linalg.norm((torso_pos - init_torso_pos)[:, :2], axis=1) <= SPOT
    counted = np.where(near & (torso_upright > UP), turned, np.minimum(turned, 0.0))
    return counted.sum() / (2 * np.pi)
''',
    success='''\
SPOT = 1.0  # m
UP = 0.5

def success(torso_yaw_total, torso_pos, init_torso_pos, torso_upright, terminated):
    """Five whole turns, never further than 1 m from the start, never tipped over."""
    near = np.linalg.norm((torso_pos - init_torso_pos)[:, :2], axis=1) <= SPOT
    whole = torso_yaw_total[-1] >= 5 * 2 * np.pi
    return float(whole and near.all() and (torso_upright > UP).all() and terminated[-1] == 0)
''',
    sparse='''\
SPOT = 1.0  # m
UP = 0.5

def compute_reward(torso_yaw_total, prev_torso_yaw_total, torso_pos, init_torso_pos, torso_upright):
    """Turning left on the spot and nothing else, in turns."""
    turned = (torso_yaw_total - prev_torso_yaw_total) / (2 * np.pi)
    near = norm((torso_pos - init_torso_pos)[:, :2]) <= SPOT
    return {"turn": np.where(near & (torso_upright > UP), turned, np.minimum(turned, 0.0))}
''',
    human='''\
def compute_reward(
    turning_velocity, torso_pos, init_torso_pos, torso_upright, healthy, action, *,
    turn=1.0, spot=0.5, upright=0.5, survive=0.5, control=0.1,
):
    """Turn left fast, stay on the spot and upright, waste no torque."""
    return {
        "turn": turn * np.clip(turning_velocity, -3.0, 3.0) * (torso_upright > 0.5),
        "spot": -spot * np.minimum(norm((torso_pos - init_torso_pos)[:, :2]), 3.0),
        "upright": upright * torso_upright,
        "survive": survive * healthy,
        "control": -control * np.square(action).sum(axis=1),
    }
''',
    human_source=OURS,
)

CIRCLE = Task(
    name="ant-circle",
    env_id="Ant-v5",
    text=(
        "Make the four-legged ant walk round a circle of 2 m radius again and again, anticlockwise. It "
        "starts on the circle, whose centre is 2 m to its left (+y)."
    ),
    fitness='''\
RADIUS = 2.0  # m
WIDTH = 0.5  # m, how far off the circle it may be
UP = 0.5

def fitness(torso_pos, prev_torso_pos, init_torso_pos, torso_upright):
    """Laps walked anticlockwise, upright and within 50 cm of the circle; the wrong way always takes off."""
    centre = init_torso_pos[:, :2] + np.array([0.0, RADIUS])
    here, before = torso_pos[:, :2] - centre, prev_torso_pos[:, :2] - centre
    cross = before[:, 0] * here[:, 1] - before[:, 1] * here[:, 0]
    angle = np.arctan2(cross, (before * here).sum(axis=1))
    on_track = np.abs(np.linalg.norm(here, axis=1) - RADIUS) <= WIDTH
    counted = np.where(on_track & (torso_upright > UP), angle, np.minimum(angle, 0.0))
    return counted.sum() / (2 * np.pi)
''',
    success='''\
RADIUS = 2.0  # m
WIDTH = 0.5  # m

def success(torso_pos, prev_torso_pos, init_torso_pos, terminated):
    """A whole lap, never further than 50 cm from the circle, without falling."""
    centre = init_torso_pos[:, :2] + np.array([0.0, RADIUS])
    here, before = torso_pos[:, :2] - centre, prev_torso_pos[:, :2] - centre
    cross = before[:, 0] * here[:, 1] - before[:, 1] * here[:, 0]
    angle = np.arctan2(cross, (before * here).sum(axis=1))
    on_track = np.abs(np.linalg.norm(here, axis=1) - RADIUS) <= WIDTH
    return float(angle.sum() >= 2 * np.pi and on_track.all() and terminated[-1] == 0)
''',
    sparse='''\
RADIUS = 2.0  # m
WIDTH = 0.5  # m

def compute_reward(torso_pos, prev_torso_pos, init_torso_pos):
    """Going round on the circle and nothing else, in laps."""
    centre = init_torso_pos[:, :2] + np.array([0.0, RADIUS])
    here, before = torso_pos[:, :2] - centre, prev_torso_pos[:, :2] - centre
    cross = before[:, 0] * here[:, 1] - before[:, 1] * here[:, 0]
    angle = np.arctan2(cross, dot(before, here)) / (2 * np.pi)
    on_track = np.abs(norm(here) - RADIUS) <= WIDTH
    return {"round": np.where(on_track, angle, np.minimum(angle, 0.0))}
''',
    human='''\
RADIUS = 2.0  # m

def compute_reward(
    torso_pos, init_torso_pos, forward_velocity, sideways_velocity, torso_upright, healthy, action, *,
    along=1.0, track=0.5, upright=0.2, survive=0.5, control=0.1,
):
    """Fast along the circle, near its line, upright, waste no torque."""
    spoke = torso_pos[:, :2] - init_torso_pos[:, :2] - np.array([0.0, RADIUS])
    far = np.maximum(norm(spoke), 0.1)
    tangent = np.stack([-spoke[:, 1], spoke[:, 0]], axis=1) / far[:, None]
    velocity = np.stack([forward_velocity, sideways_velocity], axis=1)
    return {
        "along": along * dot(velocity, tangent),
        "track": -track * np.minimum(np.abs(far - RADIUS), 2.0),
        "upright": upright * torso_upright,
        "survive": survive * healthy,
        "control": -control * np.square(action).sum(axis=1),
    }
''',
    human_source=OURS,
)

BEYOND = (TURN, CIRCLE)
