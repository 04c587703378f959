"""A run told in lines, for a log or a pipe: one an event that matters, progress at most every ten seconds."""

from __future__ import annotations

from eureka_loop.report import forecast, text, words
from eureka_loop.report.board import Board
from eureka_loop.report.board_view import cost, ending, progress
from eureka_loop.report.rows import Row
from eureka_loop.run_folder import Event

PROGRESS_EVERY = 10.0  # s


class Teller:
    """Turns events into lines."""

    def __init__(self) -> None:
        self._last_progress = 0.0

    def tell(self, event: Event, board: Board) -> str | None:
        """The line for an event that `board` has taken already; None where it needs none."""
        if event.get("event") == "progress":
            return self._progress(event, board)
        return _of_candidate(event, board) if "id" in event else _of_run(event, board)

    def _progress(self, event: Event, board: Board) -> str | None:
        now = event.get("time", 0.0)
        if now - self._last_progress < PROGRESS_EVERY:
            return None
        self._last_progress = now
        rows = [(row, board.seeds) for row in board.rows.values()]
        rows += [(row, board.report_seeds) for row in board.report.values()]
        said = [_reached(row, wanted * board.steps, board) for row, wanted in rows if row.running]
        return f"{'; '.join(said)}{_left(board, now)}"


def _reached(row: Row, steps: int, board: Board) -> str:
    fitness = "" if row.fitness is None else f", fitness {text.number(row.fitness)}"
    return f"{board.called(row.id)} {text.count(row.step)} of {text.count(steps)} steps{fitness}"


def _of_candidate(event: Event, board: Board) -> str | None:
    name = _name(event, board)
    match event.get("event"):
        case "written":
            note = text.one_line(str(event.get("note") or ""), 200)
            return f"{name} written" + (f": {note}" if note else "")
        case "repaired":
            return f"{name} sent back with its errors, and repaired"
        case "gated":
            return f"{name} passed the gate: {text.one_line(', '.join(event.get('terms') or ()), 200)}"
        case "failed":
            message = text.one_line(str(event.get("message", "")), 200)
            what, why = words.outcome(str(event.get("kind"))).split(": ", 1)
            return f"{name} {what}{_seed(event, board)}: {why}: {message}"
        case "training":
            return f"{name} {_going(event, board)}{_seed(event, board)}"
        case "reached":
            after = f"{text.count(event['step'])} of {text.count(board.steps)} steps"
            return f"{name} after {after}{_seed(event, board)}: fitness {text.number(event['fitness'])}"
        case "halted":
            after = f"{text.count(event['steps'])} of {text.count(event['of'])} steps"
            return f"{name} stopped after {after}: below the best {event['places']} of {event['among']}"
        case "trained":
            return _trained(event, board)
        case "told" if board.told % max(1, board.samples) == 0:
            return f"{progress(board)} done: {_ranked(event, board)}"
        case _:
            return None


def _going(event: Event, board: Board) -> str:
    row = board.rows.get(str(event["id"]))
    training = row.trainings.get(event["seed"]) if row else None
    return "goes on" if training and training.step else "training"


def _trained(event: Event, board: Board) -> str:
    success = "" if event.get("success") is None else f", success {text.percent(event['success'])}"
    fitness = text.number(event["fitness"])
    return (
        f"{_name(event, board)} trained{_seed(event, board)}: fitness {fitness}{success}"
        f", {text.duration(event.get('seconds') or 0)}{_left(board, event.get('time', 0.0))}"
    )


def _of_run(event: Event, board: Board) -> str | None:
    match event.get("event"):
        case "started" | "shared":
            return _started(board) if event["event"] == "started" else f"from here on {_at_once(board)}"
        case "resumed":
            return (
                f"resumed: {board.trainings_done} of {text.plural(board.trainings_wanted, 'training')} done"
            )
        case "generation" if board.steady:  # see "asked"
            return None
        case "asked":
            return f"{', '.join(event['ids'])} asked for"
        case "generation":
            asked = text.plural(int(event.get("samples") or 0), "program")
            return f"{_generation(event, board)}: {asked} asked for"
        case "writing_ended":
            return f"no more is written, what is there is trained: {text.one_line(str(event['reason']), 200)}"
        case "ranked":
            return f"{_generation(event, board)} done: {_ranked(event, board)}"
        case "reporting":
            others = [board.called(id) for id in event.get("references") or ()]
            return (
                f"report: training {', '.join([board.called(str(event['winner'])), *others])} on fresh seeds"
            )
        case "finished":
            return f"finished: winner {event.get('winner')}" if board.generations else ending(board)
        case _:  # why a run stops is said at its end
            return None


def _started(board: Board) -> str:
    if not board.generations:  # a comparison: nothing is searched for
        budget = f"{text.count(board.steps)} steps × {text.plural(board.report_seeds, 'seed')} a reward"
        return f"{text.one_line(board.task)}: {budget}, {_at_once(board)}"
    budget = f"{text.count(board.steps)} steps × {text.plural(board.seeds, 'seed')}"
    return (
        f"{text.one_line(board.task)}: {_size(board)} by {board.designer}, {board.algorithm} {budget}"
        f"{_early(board)}, {_at_once(board)}"
    )


def _size(board: Board) -> str:
    """How many candidates, and how many together."""
    if board.steady:
        return f"{board.generations * board.samples} candidates, {board.samples} under way at a time,"
    return f"{text.plural(board.generations, 'generation')} × {board.samples} candidates"


def _early(board: Board) -> str:
    """Whether bad rewards are stopped early."""
    return f" (early on, the best 1 in {board.halving} goes on)" if board.halving > 1 else ""


def _at_once(board: Board) -> str:
    """How the machine is used, and why not better."""
    workers = text.plural(board.jobs, "worker")
    if board.trainer == "population":
        learners = f", up to {board.learners} learners each" if board.learners else ""
        who = "all that wait" if board.steady else "a generation"
        return f"{who} at once on {workers}{learners}{_machine(board)}"
    why = f" ({text.one_line(board.why_trainer)})" if board.why_trainer else ""
    return f"one by one on {workers}{_machine(board)}{why}"


def _machine(board: Board) -> str:
    """What there is, and what is taken of it."""
    if not board.cores:
        return ""
    return f" ({text.plural(board.cores, 'core')}, at most {board.memory / 1e9:.1f} GB)"


def _ranked(event: Event, board: Board) -> str:
    best, spent = event.get("best"), f"; {cost(board)} so far" if board.tokens else ""
    reached = (
        f"best so far {best}, fitness {text.number(event.get('fitness'))}" if best else "nothing trained"
    )
    return reached + spent


def _generation(event: Event, board: Board) -> str:
    return words.generation(event["generation"], board.generations)


def _name(event: Event, board: Board) -> str:
    return board.called(str(event.get("id", "")))


def _seed(event: Event, board: Board) -> str:
    """Which seed, where there are several."""
    several = board.seeds > 1 or _name(event, board) != event.get("id") or event.get("id") in board.report
    return f" (seed {event['seed']})" if several and event.get("seed") is not None else ""


def _left(board: Board, now: float) -> str:
    left = forecast.left(board, now)
    return f"; {left}" if left else ""
