"""A run as log lines: one an important event, training progress at most every ten seconds."""

from __future__ import annotations

from eureka_loop import numbers
from eureka_loop.records import in_cohorts
from eureka_loop.report import sections, text
from eureka_loop.report.state import RunState
from eureka_loop.store import Event

PROGRESS_EVERY = 10.0  # s
TRAINED = "all trained; same transitions for all, videos…"  # a comparison goes on


class LogFormatter:
    """Event → line."""

    def __init__(self) -> None:
        self._last_progress = 0.0
        self._observed = 0  # results in a steady search

    def line(self, event: Event, state: RunState) -> str | None:
        """The line for an event that `state` contains already; None for no line."""
        line = self._line(event, state)
        return None if line is None else text.one_line(line)

    def _line(self, event: Event, state: RunState) -> str | None:
        if event.get("event") == "progress":
            return self._progress(event, state)
        if event.get("event") == "told":
            self._observed += 1
            whole = self._observed % max(1, state.samples) == 0
            return f"{position(state)} done: {_best(event, state)}" if whole else None
        return _of_candidate(event, state) if "id" in event else _of_run(event, state)

    def _progress(self, event: Event, state: RunState) -> str | None:
        now = event.get("time", 0.0)
        if now - self._last_progress < PROGRESS_EVERY:
            return None
        self._last_progress = now
        running = []
        for rows, seeds in ((state.candidates, state.seeds), (state.report, state.report_seeds)):
            for each in rows.values():
                if each.running:
                    fitness = "" if each.fitness is None else f", fitness {numbers.number(each.fitness)}"
                    done = f"{numbers.count(each.step)} of {numbers.count(seeds * state.steps)} steps"
                    running.append(f"{state.name(each.id)} {done}{fitness}")
        return f"{'; '.join(running)}{_left(state, now)}"


def time_left(state: RunState, now: float) -> str:
    """ "about 3 min left, then SAC"; "" before anything is measured."""
    seconds = state.seconds_left(now)
    if seconds is None:
        return ""
    return ", ".join([f"about {numbers.duration(seconds)} left", *(f"then {each}" for each in state.then)])


def position(state: RunState) -> str:
    """The generation; in a steady search "9 of 24 candidates"."""
    if state.steady:
        return f"{state.candidates_done} of {numbers.plural(state.generations * state.samples, 'candidate')}"
    return text.generation(state.generation or 0, state.generations)


def _of_candidate(event: Event, state: RunState) -> str | None:
    name = state.name(str(event["id"]))
    seed = "" if event.get("seed") is None else f" (seed {event['seed']})"
    match event.get("event"):
        case "written":
            note = text.one_line(str(event.get("note", "")), 200)
            return f"{name} written: {note}" if note else f"{name} written"
        case "repaired":
            return f"{name} sent back with its errors, and repaired"
        case "gated":
            return f"{name} passed the gate: {text.one_line(', '.join(event.get('terms') or ()), 200)}"
        case "failed":
            message = text.one_line(str(event.get("message", "")), 200)
            return f"{name}{seed} {text.outcome(str(event.get('kind')))}: {message}"
        case "training":
            return f"{name} training{seed}"
        case "reached":
            after = f"{numbers.count(event['step'])} of {numbers.count(state.steps)} steps"
            return f"{name} after {after}{seed}: fitness {numbers.number(event['fitness'])}"
        case "halted":
            after = f"{numbers.count(event['steps'])} of {numbers.count(event['of'])} steps"
            return f"{name} stopped after {after}: below the best {event['places']} of {event['among']}"
        case "trained":
            success = "" if event.get("success") is None else f", success {numbers.percent(event['success'])}"
            took = f"{numbers.duration(event.get('seconds') or 0)}{_left(state, event.get('time', 0.0))}"
            return f"{name} trained{seed}: fitness {numbers.number(event['fitness'])}{success}, {took}"
        case _:
            return None


def _of_run(event: Event, state: RunState) -> str | None:
    match event.get("event"):
        case "started":
            return _started(event, state)
        case "shared":
            return f"from here on {_machine(event)}"
        case "resumed":
            return f"resumed: {sections.progress(state)}"
        case "asked" if state.steady:
            return f"{', '.join(event['ids'])} requested"
        case "generation" if not state.steady:
            requested = numbers.plural(int(event.get("samples") or 0), "program")
            return f"{text.generation(event['generation'], state.generations)}: {requested} requested"
        case "writing_ended":
            reason = text.one_line(str(event["reason"]), 200)
            return f"no more programs are written, those written are trained: {reason}"
        case "ranked":
            return f"{text.generation(event['generation'], state.generations)} done: {_best(event, state)}"
        case "reporting":
            rewards = [str(event["winner"]), *(event.get("references") or ())]
            return f"report: training {', '.join(map(state.name, rewards))} on fresh seeds"
        case "finished":
            return (
                f"finished: winner {state.name(str(event.get('winner')))}" if state.generations else TRAINED
            )
        case _:  # the reason for a stop is printed at the end
            return None


def _started(event: Event, state: RunState) -> str:
    """Task, size and budget of the search, how many train at once, why not with the population trainer."""
    together = in_cohorts(str(event.get("trainer", "sb3")))
    at_once = (
        "one by one" if not together else "all that wait at once" if state.steady else "a generation at once"
    )
    why = f" ({event['why_trainer']})" if not together and event.get("why_trainer") else ""
    how = f"{at_once} on {_machine(event)}{why}"
    task, steps = state.task, numbers.count(state.steps)
    if not state.generations:  # a comparison
        return f"{task}: {steps} steps × {numbers.plural(state.report_seeds, 'seed')} a reward, {how}"
    size = f"{numbers.plural(state.generations, 'generation')} × {state.samples} candidates"
    steady = " (steady)" if state.steady else ""
    halving = f" (early on, the best 1 in {state.halving} goes on)" if state.halving > 1 else ""
    budget = f"{event.get('algorithm')} {steps} steps × {numbers.plural(state.seeds, 'seed')}{halving}"
    return f"{task}: {size}{steady} by {state.designer}, {budget}, {how}"


def _machine(event: Event) -> str:
    """ "2 workers, up to 32 learners each (4 cores, at most 3.1 GB)"."""
    cores, learners = event.get("cores"), event.get("learners")
    each = f", up to {learners} learners each" if learners else ""
    limits = f" ({numbers.plural(cores, 'core')}, at most {event['memory'] / 1e9:.1f} GB)" if cores else ""
    return f"{numbers.plural(int(event.get('jobs') or 1), 'worker')}{each}{limits}"


def _best(event: Event, state: RunState) -> str:
    spent = f"; {sections.tokens(state)} so far" if state.tokens else ""
    if not event.get("best"):
        return f"nothing trained{spent}"
    return f"best so far {event['best']}, fitness {numbers.number(event.get('fitness'))}{spent}"


def _left(state: RunState, now: float) -> str:
    left = time_left(state, now)
    return f"; {left}" if left else ""
