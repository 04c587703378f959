"""Some of Meta-World's own rewards (its version v2) as programs.

After metaworld/envs/sawyer_*_v3.py, compute_reward, and utils/reward_utils.py (3.0). Numbers that the envs
note down at a reset are written out here where an episode's observables don't hold them: `START` is where
the fingers are once the hand is in its starting place, the same at every reset.
"""

from __future__ import annotations

START = "(0.00441053, 0.60149993, 0.15015795)"
NEAR_START = (
    "(0.00467357, 0.40020240, 0.15072958)"  # of the envs in which the hand starts nearer to the robot
)

LONG_TAIL = '''
def near(distance, bound, margin):
    """1 within the bound, a tenth a margin beyond it."""
    return 1.0 / (9.0 * np.square(np.maximum(distance - bound, 0.0) / margin) + 1.0)
'''

GAUSSIAN = '''
def close(distance, bound, margin):
    """1 within the bound, a tenth a margin beyond it, soon nothing."""
    return 0.1 ** np.square(np.maximum(distance - bound, 0.0) / margin)
'''

BOTH = '''
def both(a, b):
    """Hamacher's product: 1 where both are, 0 where one is."""
    total = a + b - a * b
    return np.where(total > 0.0, a * b / np.where(total > 0.0, total, 1.0), 0.0)
'''

REACH = (
    LONG_TAIL
    + '''
def compute_reward(fingers_position, goal_position, *, there=10.0):
    """Fingers at the goal."""
    margin = norm(np.array([0.0, 0.6, 0.2]) - goal_position)
    return {"there": there * near(norm(fingers_position - goal_position), 0.05, margin)}
'''
)

PRESS = (
    LONG_TAIL
    + BOTH
    + f'''
START = {NEAR_START}
AXIS = {{axis}}  # the way the button moves
FAR = {{far}}  # m
TOUCHING = {{touching}}  # m

def compute_reward(
    object_position, fingers_position, goal_position, {{start}}, gripper_opening, *,
    reach={{reach}}, press={{press}},
):
    """Gripper {{grip}} and at the button, button pressed in."""
    gap = norm(object_position - fingers_position)
    margin = norm(object_position - np.array(START))
    left = np.abs(goal_position[:, AXIS] - object_position[:, AXIS])
    whole = {{whole}}
    return {{{{
        "reach": reach * both({{opening}}, near(gap, FAR, margin)),
        "press": press * np.where(gap <= TOUCHING, near(left, 0.005, whole), 0.0),
    }}}}
'''
)

BUTTON = {
    "start": "init_buttonStart_pos",
    "whole": "np.abs(goal_position[:, AXIS] - init_buttonStart_pos[:, AXIS])",
}
OPEN = {"grip": "open", "opening": "np.maximum(gripper_opening, 0.0)", "axis": 1}
SHUT = {"grip": "shut", "opening": "1.0 - gripper_opening", "axis": 2}

FRONT = PRESS.format(**BUTTON, **OPEN, far=0.05, touching=0.05, reach=2.0, press=8.0)
TOP = PRESS.format(**BUTTON, **SHUT, far=0.01, touching=0.03, reach=5.0, press=5.0)
COFFEE = PRESS.format(
    **OPEN, start="init_object_position", whole="0.03", far=0.05, touching=0.05, reach=2.0, press=8.0
)

DOOR_CLOSE = (
    GAUSSIAN
    + '''
def compute_reward(
    object_position, fingers_position, goal_position, door_pos, *, hand=3.0, shut=6.0, done=10.0
):
    """Handle where it is when the door is shut, fingers there too."""
    left = norm(object_position - goal_position)
    in_place = close(left, 0.05, norm(door_pos - goal_position))
    margin = norm(np.array([-0.5, 0.6, 0.2]) - object_position) + 0.1
    in_hand = close(norm(fingers_position - goal_position), 0.0125, margin)
    return {
        "hand": np.where(left < 0.05, 0.0, hand * in_hand),
        "shut": np.where(left < 0.05, 0.0, shut * in_place),
        "done": np.where(left < 0.05, done, 0.0),
    }
'''
)

DRAWER_OPEN = (
    LONG_TAIL
    + f'''
START = {START}
WIDTH = 0.2  # m that the drawer moves

def compute_reward(object_position, hand_position, goal_position, *, cage=5.0, pull=5.0):
    """Hand round the handle, its height mattering least; drawer out."""
    scale = np.array([3.0, 3.0, 1.0])
    shut = goal_position + np.array([0.0, WIDTH, 0.0])
    margin = norm((shut - np.array(START)) * scale)
    caging = near(norm((object_position - hand_position) * scale), 0.01, margin)
    return {{
        "cage": cage * caging,
        "pull": pull * near(norm(object_position - goal_position), 0.02, WIDTH),
    }}
'''
)

DRAWER_CLOSE = (
    LONG_TAIL
    + GAUSSIAN
    + BOTH
    + f'''
START = {START}

def compute_reward(
    object_position, init_object_position, fingers_position, goal_position, action, *, push=10.0, done=10.0
):
    """Shut gripper at the handle, drawer in."""
    left, at_first = norm(object_position - goal_position), norm(init_object_position - goal_position)
    in_place = near(left, 0.05, np.abs(at_first - 0.05))
    margin = np.abs(norm(init_object_position - np.array(START)) - 0.005)
    at_handle = close(norm(object_position - fingers_position), 0.005, margin)
    reach = both(at_handle, np.clip(action[:, 3], 0.0, 1.0))
    shut = left <= 0.065
    return {{
        "push": push * np.where(shut, 0.0, both(reach, in_place)),
        "done": done * np.where(shut, 1.0, 0.0),
    }}
'''
)

FAUCET = (
    LONG_TAIL
    + GAUSSIAN
    + f'''
START = {NEAR_START}
TO_BASE = {{to_base}}  # m, from the goal

def compute_reward(object_position, fingers_position, goal_position, *, reach=4.0, turn=6.0, done=10.0):
    """Fingers at the handle, handle turned."""
    handle = object_position + np.array({{handle}})
    base = goal_position + np.array(TO_BASE)
    left = norm(handle - goal_position)
    in_place = near(left, 0.07, np.abs(norm(base - goal_position) - 0.07))
    margin = np.abs(norm(base - np.array(START)) - 0.01)
    at_handle = close(norm(handle - fingers_position), 0.01, margin)
    return {{{{
        "reach": np.where(left <= 0.07, 0.0, reach * at_handle),
        "turn": np.where(left <= 0.07, 0.0, turn * in_place),
        "done": np.where(left <= 0.07, done, 0.0),
    }}}}
'''
)

REWARDS = {
    "reach": REACH,
    "reach-wall": REACH,
    "button-press": FRONT,
    "button-press-topdown": TOP,
    "button-press-topdown-wall": TOP,
    "coffee-button": COFFEE,
    "door-close": DOOR_CLOSE,
    "drawer-open": DRAWER_OPEN,
    "drawer-close": DRAWER_CLOSE,
    "faucet-open": FAUCET.format(to_base="(-0.175, 0.0, -0.125)", handle="(-0.04, 0.0, 0.03)"),
    "faucet-close": FAUCET.format(to_base="(0.175, 0.0, -0.125)", handle="(0.0, 0.0, 0.0)"),
}
"""By Meta-World's names for the tasks."""
