"""What the Shadow Hand is asked to do; the names are `shadow_hand.py`'s."""

from __future__ import annotations

from eureka_loop.records import Task

SOURCE = "Gymnasium-Robotics 1.4, {}, dense"

REACH = Task(
    name="hand-reach",
    env_id="HandReachDense-v3",
    text="Bring each of the Shadow Hand's five fingertips to its goal: mostly thumb and one finger meeting.",
    fitness='''\
HELD = 10  # steps, 0.4 s

def fitness(fingertip_distances):
    """Minus the fingertips' mean distance from their goals over the last 0.4 s, m."""
    return -fingertip_distances[-HELD:].mean()
''',
    success='''\
def success(goal_distance):
    """Ends with all fingertips together less than 1 cm off, as the env counts it."""
    return float(goal_distance[-1] < 0.01)
''',
    sparse='''\
def compute_reward(goal_distance):
    """-1 until the fingertips are at their goals: the env's own sparse reward."""
    return {"away": -np.where(goal_distance > 0.01, 1.0, 0.0)}
''',
    human='''\
def compute_reward(goal_distance, *, distance=1.0):
    """Fingertips close to their goals: the env's own dense reward."""
    return {"distance": -distance * goal_distance}
''',
    human_source=SOURCE.format("reach.py, BaseHandReachEnv.compute_reward"),
)

FITNESS = '''\
HELD = 10  # steps, 0.4 s
MOST = 0.2  # m: beyond it the object is lost, and it doesn't matter how far it fell

def fitness({turn}, object_goal_distance):
    """Over the last 0.4 s, minus how far it is from its goal, rad: 10 cm of place count as 1 rad of turn."""
    angle = np.minimum({turn}, 2 * np.pi - {turn})
    return -(angle + 10 * np.minimum(object_goal_distance, MOST))[-HELD:].mean()
'''

SUCCESS = '''\
def success({turn}, object_goal_distance):
    """Ends within {close:g} m and 0.1 rad of its goal."""
    return float({turn}[-1] < 0.1 and object_goal_distance[-1] < {close:g})
'''

SPARSE = '''\
def compute_reward({turn}, object_goal_distance):
    """-1 until it is in place and turned right: the env's own sparse reward."""
    return {{"away": np.where(({turn} < 0.1) & (object_goal_distance < {close:g}), 0.0, -1.0)}}
'''

HUMAN = '''\
def compute_reward({turn}, object_goal_distance, *, place=10.0, turn=1.0):
    """In place and turned right: the env's own dense reward."""
    return {{"place": -place * object_goal_distance, "turn": -turn * {turn}}}
'''


def manipulate(thing: str, names: dict[str, object], aim: str) -> Task:
    """`names`: what the programs' texts leave open."""
    return Task(
        name=f"hand-{thing}",
        env_id=f"HandManipulate{thing.capitalize()}Dense-v1",
        text=f"Turn and move the {thing} in the Shadow Hand until it lies as its goal does{aim}.",
        fitness=FITNESS.format(**names),
        success=SUCCESS.format(**names),
        sparse=SPARSE.format(**names),
        human=HUMAN.format(**names),
        human_source=SOURCE.format("manipulate.py, BaseManipulateEnv.compute_reward"),
    )


CLOSELY: dict[str, object] = {"turn": "rotation_error", "close": 0.01}

MANIPULATE = {
    "block": manipulate("block", CLOSELY, ""),
    "egg": manipulate("egg", CLOSELY, ""),
    "pen": manipulate("pen", {"turn": "pen_rotation_error", "close": 0.05}, "; its roll doesn't matter"),
}

SPIN = Task(
    name="hand-spin-pen",
    env_id="HandManipulatePenRotate-v1",
    text=(
        "Spin the pen on the Shadow Hand: turn it round and round flat over the palm, always the same way, "
        "as many whole turns as possible, without dropping it."
    ),
    fitness='''\
def fitness(pen_turned, pen_held):
    """Whole turns flat over the palm before the pen is dropped, whichever way; turning back takes off."""
    return np.abs((pen_turned * np.cumprod(pen_held)).sum()) / (2 * np.pi)
''',
    success='''\
def success(pen_turned, pen_held):
    """A whole turn or more, and the pen is never dropped."""
    return float(np.abs(pen_turned.sum()) >= 2 * np.pi and pen_held.all())
''',
    sparse='''\
def compute_reward(pen_turned, pen_held):
    """Turning anticlockwise in the hand, in turns, and nothing else."""
    return {"turn": pen_turned / (2 * np.pi) * pen_held}
''',
    env_kwargs={"max_episode_steps": 250},  # 10 s
)
