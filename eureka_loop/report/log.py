"""A run as log lines, one an important event."""

from __future__ import annotations

from eureka_loop import numbers, text
from eureka_loop.report.state import COUNTS, RUNNING, CandidateState, RunState
from eureka_loop.results import FITNESS
from eureka_loop.search.planning import in_words
from eureka_loop.store import Event

TRAINED = "all trained; same transitions for all, videos…"  # a comparison goes on


def line(event: Event, state: RunState) -> str | None:
    """The line for an event that `state` contains already; None for no line."""
    if event["event"] == "prompted":
        return prompt(event)
    if event["event"] == "adapted":
        return text.message(event["message"], 400)
    about = _of_run if "id" not in event else _of_candidate if event.get("seed") is None else _of_training
    found = about(event, state)
    return None if found is None else text.one_line(found)


def header(state: RunState, now: float) -> str:
    """Position, end, time left, trainings and cost, as far as they are there."""
    begun = state.generation is not None or state.report
    parts = ["report" if state.report else position(state) if begun else ""]
    parts.append(TRAINED if state.ended == "finished" and not state.generations else state.ended)
    return " · ".join(filter(None, [*parts, time_left(state, now), progress(state), tokens(state)]))


def prompt(event: Event) -> str:
    """Where a prompt is, and where its answer goes; or why the answer isn't taken."""
    if event.get("problem"):
        return text.one_line(f"{event['answer']} can't be taken yet: {text.message(event['problem'], 200)}")
    answer = event["answer"].rpartition("/")[2]
    return text.one_line(f"{event['candidate']}: answer {event['prompt']} in {answer}")


def position(state: RunState) -> str:
    """The generation; in a steady search "9 of 24 candidates"."""
    if state.steady:
        return f"{state.observed} of {numbers.plural(state.generations * state.samples, 'candidate')}"
    return text.generation(state.generation or 0, state.generations)


def progress(state: RunState) -> str:
    """ "9 of 26 trainings"."""
    return f"{state.trainings_done} of {numbers.plural(state.trainings_wanted, 'training')}"


def steps(candidate: CandidateState) -> str:
    """ "31k of 100k", over all seeds."""
    done, wanted = candidate.progress * candidate.steps, candidate.wanted * candidate.steps
    return f"{numbers.count(done)} of {numbers.count(wanted)}"


def tokens(state: RunState) -> str:
    """Tokens, and money where the price is known; "" for none."""
    if not state.tokens:
        return ""
    counted = f"{numbers.count(state.tokens)} tokens"
    return counted if state.usd is None else f"{counted}, {numbers.money(state.usd)}"


def time_left(state: RunState, now: float) -> str:
    """ "about 3 min left, then SAC"; "" before anything is measured."""
    seconds = state.seconds_left(now)
    if seconds is None:
        return ""
    return ", ".join([f"about {numbers.duration(seconds)} left", *(f"then {each}" for each in state.then)])


def _of_training(event: Event, state: RunState) -> str | None:
    name, seed, left = state.name(str(event["id"])), event["seed"], time_left(state, event["time"])
    left = f"; {left}" if left else ""
    fitness = f"fitness {numbers.number(event.get('fitness'))}"
    if event.get("progress") is not None:
        fitness += f", progress {numbers.number(event['progress'])}"
    match event["event"]:
        case "training":
            return f"{name} training (seed {seed})"
        case "progress":
            return "; ".join(_running(state)) + left
        case "trained":
            success = "" if event.get("success") is None else f", success {numbers.percent(event['success'])}"
            took = numbers.duration(event.get("seconds") or 0)
            return f"{name} trained (seed {seed}): {fitness}{success}, {took}{left}"
        case "failed":
            return f"{name} (seed {seed}) {_failure(event)}"
    return None


def _running(state: RunState) -> list[str]:
    """Steps and fitness of each candidate in training."""
    rows = [each for each in (*state.candidates.values(), *state.report.values()) if each.count(*RUNNING)]
    fitness = {each.id: numbers.number(each.score(FITNESS)) for each in rows}
    return [f"{state.name(each.id)} {steps(each)} steps, fitness {fitness[each.id]}" for each in rows]


def _of_candidate(event: Event, state: RunState) -> str | None:
    name = state.name(str(event["id"]))
    match event["event"]:
        case "written":
            return f"{name} written" + (f": {text.one_line(event['note'], 200)}" if event.get("note") else "")
        case "repaired":
            return f"{name} sent back with its errors, and repaired"
        case "gated":
            return f"{name} passed the gate: {text.one_line(', '.join(event['terms']), 200)}"
        case "failed":
            return f"{name} {_failure(event)}"
        case "told" if state.observed % state.samples == 0:
            return f"{position(state)} done: {_best(event, state)}"
    return None


def _failure(event: Event) -> str:
    return f"{text.outcome(str(event['kind']))}: {text.message(event['message'], 200)}"


def _of_run(event: Event, state: RunState) -> str | None:
    """The reason for a stop is printed at the end."""
    match event["event"]:
        case "started":
            return _started(event, state)
        case "shared":
            return f"from here on {_machine(event)}"
        case "resumed":
            return f"resumed: {progress(state)} done"
        case "asked":
            return f"{', '.join(event['ids'])} requested"
        case "writing_ended" | "images_ended" as what:
            ends = "no more programs are written" if what == "writing_ended" else "no images in prompts"
            return f"{ends}: {text.message(event['reason'], 200)}"
        case "ranked":
            return f"{text.generation(event['generation'], state.generations)} done: {_best(event, state)}"
        case "floor_failed":
            return f"{event['name']} can't be judged and is left out: {text.message(event['message'], 200)}"
        case "reporting":
            rewards = [str(event["winner"]), *event["references"]]
            return f"report: training {', '.join(map(state.name, rewards))} on fresh seeds"
        case "finished":
            return f"finished: winner {state.name(str(event['winner']))}" if state.generations else TRAINED
    return None


def _started(event: Event, state: RunState) -> str:
    """Task, size and budget of the search, trainer, and why not the population trainer."""
    trainer, why = event.get("trainer", "sb3"), event.get("why_trainer")
    how = f"{trainer}{f' ({why})' if why else ''} on {_machine(event)}"
    steps = numbers.count(state.steps)
    if not state.generations:  # a comparison
        return f"{state.task}: {steps} steps × {numbers.plural(state.report_seeds, 'seed')} a reward, {how}"
    given = {name: getattr(state, name) for name in (*COUNTS, "steady")}
    return f"{state.task}: {in_words({**given, 'algo': event.get('algorithm')})}, by {state.designer}, {how}"


def _machine(event: Event) -> str:
    """ "2 workers, up to 32 learners each (4 cores, at most 3.1 GB)"."""
    cores, learners = event.get("cores"), event.get("learners")
    each = f", up to {learners} learners each" if learners else ""
    limits = f" ({numbers.plural(cores, 'core')}, at most {event['memory'] / 1e9:.1f} GB)" if cores else ""
    return f"{numbers.plural(int(event.get('jobs') or 1), 'worker')}{each}{limits}"


def _best(event: Event, state: RunState) -> str:
    spent = f"; {tokens(state)} so far" if state.tokens else ""
    if not event.get("best"):
        return f"nothing trained{spent}"
    return f"best so far {event['best']}, {text.reached(event.get)}{spent}"
