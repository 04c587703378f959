"""What a walker can do beyond walking forward: backward, on one leg.

The names are `walker2d.py`'s. The rewards are ours: the env's own is for walking forward.
"""

from __future__ import annotations

from eureka_loop.records import Task

from .domain import OURS

BACKWARD = Task(
    name="walker2d-backward",
    env_id="Walker2d-v5",
    text="Make the two-legged walker walk backward as fast as possible without falling.",
    fitness='''\
def fitness(forward_velocity, dt, time, time_left):
    """Distance walked backward by the full time an episode may last, m/s: after a fall the clock runs on."""
    return -(forward_velocity * dt).sum() / (time[-1] + time_left[-1])
''',
    success='''\
WALK_SPEED = 1.0  # m/s

def success(forward_velocity, terminated):
    """Never falls, and walks backward at 1 m/s on average."""
    return float(terminated[-1] == 0 and -forward_velocity.mean() >= WALK_SPEED)
''',
    sparse='''\
def compute_reward(forward_velocity):
    """Backward speed and nothing else."""
    return {"speed": -forward_velocity}
''',
    human='''\
def compute_reward(forward_velocity, healthy, action, *, backward=1.0, survive=1.0, control=1e-3):
    """Walk backward fast, don't fall, waste no torque: the env's own reward with the sign turned."""
    return {
        "backward": -backward * forward_velocity,
        "survive": survive * healthy,
        "control": -control * np.square(action).sum(axis=1),
    }
''',
    human_source=OURS,
)

ONE_LEG = Task(
    name="walker2d-one-leg",
    env_id="Walker2d-v5",
    text="Make the two-legged walker stand on one leg, the other foot held in the air, without walking off.",
    fitness='''\
SPOT = 0.5  # m, either way
LIFT = 0.1  # m

def fitness(
    right_foot_contact, left_foot_contact, right_foot_height, left_foot_height,
    rootx_position, init_rootx_position, dt, time, time_left,
):
    """Share of an episode's full time on one and the same leg, the other foot 10 cm higher and off the floor,
    within 50 cm of the start.
    """
    near = np.abs(rootx_position - init_rootx_position) <= SPOT
    lifted = left_foot_height - right_foot_height
    right = right_foot_contact * (1.0 - left_foot_contact) * (lifted >= LIFT)
    left = left_foot_contact * (1.0 - right_foot_contact) * (lifted <= -LIFT)
    full = time[-1] + time_left[-1]
    return np.maximum((right * near * dt).sum(), (left * near * dt).sum()) / full
''',
    success='''\
LAST = 250  # steps: two seconds
LIFT = 0.1  # m

def success(right_foot_contact, left_foot_contact, right_foot_height, left_foot_height, terminated):
    """Nine tenths of the last two seconds on one and the same leg, and no fall."""
    lifted = left_foot_height - right_foot_height
    right = right_foot_contact * (1.0 - left_foot_contact) * (lifted >= LIFT)
    left = left_foot_contact * (1.0 - right_foot_contact) * (lifted <= -LIFT)
    share = np.maximum(right[-LAST:].mean(), left[-LAST:].mean())
    return float(share >= 0.9 and terminated[-1] == 0)
''',
    sparse='''\
LIFT = 0.1  # m

def compute_reward(right_foot_contact, left_foot_contact, left_foot_height, right_foot_height):
    """1 while it stands on the right leg, the left foot 10 cm higher."""
    lifted = left_foot_height - right_foot_height >= LIFT
    return {"standing": right_foot_contact * (1.0 - left_foot_contact) * lifted}
''',
    human='''\
def compute_reward(
    right_foot_contact, left_foot_contact, left_foot_height, right_foot_height, torso_pitch, pitch_velocity,
    forward_velocity, healthy, action, *,
    stand=1.0, lift=1.0, upright=0.5, still=0.2, sway=0.02, survive=1.0, control=1e-3,
):
    """Right foot down, left foot up, torso upright and still."""
    return {
        "stand": stand * right_foot_contact * (1.0 - left_foot_contact),
        "lift": lift * ramp(left_foot_height - right_foot_height, 0.0, 0.15),
        "upright": -upright * np.abs(torso_pitch),
        "still": -still * np.abs(forward_velocity),
        "sway": -sway * np.abs(pitch_velocity),
        "survive": survive * healthy,
        "control": -control * np.square(action).sum(axis=1),
    }
''',
    human_source=OURS,
)

BEYOND = (BACKWARD, ONE_LEG)
