"""What a hopper can do beyond hopping along: jump high, hop on the spot.

The names are `hopper.py`'s. The rewards are ours: the env's own is for hopping forward.
"""

from __future__ import annotations

from eureka_loop.records import Task

from .domain import OURS

JUMP = Task(
    name="hopper-jump",
    env_id="Hopper-v5",
    text="Make the hopper jump as high as possible, straight up, and land without falling.",
    fitness='''\
def fitness(foot_clearance, foot_contact, terminated):
    """The bar it clears: the greatest height of the foot's lowest point, m; half of that where it falls."""
    highest = (foot_clearance * (1.0 - foot_contact)).max()
    return np.maximum(highest, 0.0) * (1.0 - 0.5 * terminated[-1])
''',
    success='''\
BAR = 0.3  # m

def success(foot_clearance, terminated):
    """Clears 30 cm, and never falls."""
    return float(foot_clearance.max() >= BAR and terminated[-1] == 0)
''',
    sparse='''\
def compute_reward(foot_clearance):
    """Height of the foot over the floor and nothing else."""
    return {"height": np.maximum(foot_clearance, 0.0)}
''',
    human='''\
def compute_reward(
    foot_clearance, upward_velocity, forward_velocity, torso_pitch, terminated, action, *,
    height=5.0, launch=0.5, upright=1.0, drift=0.2, survive=1.0, control=1e-3,
):
    """Up fast, high, straight, without falling."""
    return {
        "height": height * np.maximum(foot_clearance, 0.0),
        "launch": launch * np.maximum(upward_velocity, 0.0),
        "upright": -upright * np.abs(torso_pitch),
        "drift": -drift * np.abs(forward_velocity),
        "survive": survive * (1.0 - terminated),
        "control": -control * np.square(action).sum(axis=1),
    }
''',
    human_source=OURS,
)

SPOT = Task(
    name="hopper-hop-in-place",
    env_id="Hopper-v5",
    text="Make the hopper hop up and down on the spot, again and again, without falling.",
    fitness='''\
SPOT = 0.25  # m, either way

def fitness(foot_clearance, rootx_position, init_rootx_position, dt, time, time_left):
    """Share of an episode's full time in the air within 25 cm of the start: 10 cm off the floor counts whole,
    less in proportion.
    """
    near = np.abs(rootx_position - init_rootx_position) <= SPOT
    return (ramp(foot_clearance, 0.0, 0.1) * near * dt).sum() / (time[-1] + time_left[-1])
''',
    success='''\
SPOT = 0.25  # m
HOPS = 8  # one a second

def success(foot_clearance, prev_foot_clearance, rootx_position, init_rootx_position, terminated):
    """Eight hops of 5 cm or more, always within 25 cm of the start, and no fall."""
    near = (np.abs(rootx_position - init_rootx_position) <= SPOT).all()
    hops = ((foot_clearance >= 0.05) & (prev_foot_clearance < 0.05)).sum()
    return float(near and hops >= HOPS and terminated[-1] == 0)
''',
    sparse='''\
SPOT = 0.25  # m, either way

def compute_reward(foot_clearance, rootx_position, init_rootx_position):
    """In the air on the spot, and nothing else."""
    near = np.abs(rootx_position - init_rootx_position) <= SPOT
    return {"aloft": ramp(foot_clearance, 0.0, 0.1) * near}
''',
    human='''\
def compute_reward(
    foot_clearance, upward_velocity, rootx_position, init_rootx_position, forward_velocity, terminated,
    action, *,
    aloft=1.0, bounce=0.2, spot=1.0, drift=0.2, survive=1.0, control=1e-3,
):
    """Be in the air, move up and down, stay on the spot, don't fall."""
    return {
        "aloft": aloft * ramp(foot_clearance, 0.0, 0.1),
        "bounce": bounce * np.minimum(np.abs(upward_velocity), 2.0),
        "spot": spot * tolerance(rootx_position - init_rootx_position, bounds=(-0.1, 0.1), margin=0.3),
        "drift": -drift * np.abs(forward_velocity),
        "survive": survive * (1.0 - terminated),
        "control": -control * np.square(action).sum(axis=1),
    }
''',
    human_source=OURS,
)

BEYOND = (JUMP, SPOT)
