"""What a humanoid can do beyond running forward: walk backward, stand still, squat.

The names are `humanoid.py`'s. The rewards are ours: the env's own is for running forward.
"""

from __future__ import annotations

from eureka_loop.records import Task

from .domain import OURS

BACKWARD = Task(
    name="humanoid-backward",
    env_id="Humanoid-v5",
    text="Make the humanoid walk backward (along -x), its chest still facing forward (+x), without falling.",
    fitness='''\
FACING = 1.0  # rad from +x, either way

def fitness(forward_velocity, heading_angle, dt, time, time_left):
    """Distance walked backward by the full time an episode may last, m/s: after a fall the clock runs on.
    Facing away from +x by more than 57 degrees, only ground lost is counted.
    """
    faces = np.abs(heading_angle) <= FACING
    gained = np.where(faces, -forward_velocity, np.minimum(-forward_velocity, 0.0))
    return (gained * dt).sum() / (time[-1] + time_left[-1])
''',
    success='''\
WALK_SPEED = 1.0  # m/s

def success(forward_velocity, heading_angle, terminated):
    """Never falls, never turns its chest more than 57 degrees from +x, and walks at 1 m/s on average."""
    faces = (np.abs(heading_angle) <= 1.0).all()
    return float(terminated[-1] == 0 and faces and -forward_velocity.mean() >= WALK_SPEED)
''',
    sparse='''\
def compute_reward(forward_velocity, heading_angle):
    """Backward speed, facing +x, and nothing else."""
    faces = np.abs(heading_angle) <= 1.0
    return {"speed": np.where(faces, -forward_velocity, np.minimum(-forward_velocity, 0.0))}
''',
    human='''\
def compute_reward(
    forward_velocity, heading_angle, healthy, action, *, backward=1.25, facing=1.0, survive=5.0, control=0.1
):
    """Walk backward, face +x, stay on the feet, waste no torque."""
    return {
        "backward": -backward * forward_velocity,
        "facing": facing * np.cos(heading_angle),
        "survive": survive * healthy,
        "control": -control * np.square(action).sum(axis=1),
    }
''',
    human_source=OURS,
)

STILL = Task(
    name="humanoid-stand",
    env_id="Humanoid-v5",
    text="Make the humanoid stand upright and still, on the spot where it starts, without falling.",
    fitness='''\
def fitness(
    head_height, torso_upright, com_linvel, torso_pos, init_torso_pos, dt, time, time_left
):
    """Share of an episode's full time that it stands still: head above 1.3 m, torso upright, slower than
    0.2 m/s (from there to 1 m/s it counts less and less), within 50 cm of the start.
    """
    stands = (head_height >= 1.3) & (torso_upright >= 0.9)
    near = np.linalg.norm((torso_pos - init_torso_pos)[:, :2], axis=1) <= 0.5
    still = ramp(np.linalg.norm(com_linvel[:, :2], axis=1), 1.0, 0.2)
    return (stands * near * still * dt).sum() / (time[-1] + time_left[-1])
''',
    success='''\
def success(head_height, com_linvel, torso_pos, init_torso_pos, terminated):
    """Up to the end on its feet, its head above 1.3 m, within 50 cm of the start, on average slower than
    0.2 m/s.
    """
    still = np.linalg.norm(com_linvel[:, :2], axis=1).mean() <= 0.2
    near = np.linalg.norm((torso_pos - init_torso_pos)[:, :2], axis=1) <= 0.5
    return float(terminated[-1] == 0 and near.all() and still and (head_height >= 1.3).all())
''',
    sparse='''\
def compute_reward(head_height, torso_upright, com_linvel):
    """1 while it stands upright and still."""
    still = norm(com_linvel[:, :2]) <= 0.2
    return {"standing": (head_height >= 1.3) * (torso_upright >= 0.9) * still}
''',
    human='''\
def compute_reward(
    head_height, torso_upright, com_linvel, qvel, torso_pos, init_torso_pos, action, *,
    stand=2.0, upright=1.0, slow=0.5, spot=0.5, calm=2e-3, control=0.05,
):
    """Head high, torso upright, slow, on the spot, with calm joints and little torque."""
    return {
        "stand": stand * tolerance(head_height, bounds=(1.4, 2.0), margin=0.4),
        "upright": upright * torso_upright,
        "slow": -slow * np.minimum(norm(com_linvel[:, :2]), 2.0),
        "spot": -spot * np.minimum(norm((torso_pos - init_torso_pos)[:, :2]), 2.0),
        "calm": -calm * np.minimum(np.square(qvel[:, 6:]).sum(axis=1), 500.0),
        "control": -control * np.square(action).sum(axis=1),
    }
''',
    human_source=OURS,
)

SQUAT = Task(
    name="humanoid-squat",
    env_id="Humanoid-v5",
    text=(
        "Make the humanoid squat and stay there: both feet on the floor, knees bent until the thighs are "
        "about level, the torso upright, without falling."
    ),
    fitness='''\
def fitness(
    hip_height, torso_upright, right_foot_contact, left_foot_contact, dt, time, time_left
):
    """Share of an episode's full time in a squat: both feet on the floor, torso less than 37 degrees from
    upright; hips at 68 cm or lower count whole, at 83 cm (nearly standing) not at all.
    """
    on_feet = right_foot_contact * left_foot_contact * (torso_upright >= 0.8)
    return (ramp(hip_height, 0.83, 0.68) * on_feet * dt).sum() / (time[-1] + time_left[-1])
''',
    success='''\
LAST = 133  # steps: two seconds

def success(hip_height, torso_upright, right_foot_contact, left_foot_contact, terminated):
    """Nine tenths of the last two seconds in a squat, hips at 70 cm or lower, and no fall."""
    squats = right_foot_contact * left_foot_contact * (torso_upright >= 0.8) * (hip_height <= 0.7)
    return float(terminated[-1] == 0 and squats[-LAST:].mean() >= 0.9)
''',
    sparse='''\
def compute_reward(hip_height, torso_upright, right_foot_contact, left_foot_contact):
    """1 while it squats."""
    on_feet = right_foot_contact * left_foot_contact
    return {"squat": on_feet * (torso_upright >= 0.8) * (hip_height <= 0.7)}
''',
    human='''\
def compute_reward(
    hip_height, torso_upright, right_foot_contact, left_foot_contact, com_linvel, healthy, action, *,
    low=2.0, upright=1.0, feet=0.25, slow=0.5, survive=2.0, control=0.05,
):
    """Hips low, torso upright, both feet down, slow, without falling."""
    return {
        "low": low * tolerance(hip_height, bounds=(0.62, 0.68), margin=0.2, sigmoid="linear"),
        "upright": upright * torso_upright,
        "feet": feet * (right_foot_contact + left_foot_contact),
        "slow": -slow * np.minimum(norm(com_linvel[:, :2]), 2.0),
        "survive": survive * healthy,
        "control": -control * np.square(action).sum(axis=1),
    }
''',
    human_source=OURS,
)

BEYOND = (BACKWARD, STILL, SQUAT)
