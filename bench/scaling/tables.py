"""The tables of docs/scaling.md, each from its own runs."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from bench.scaling.costs import workers_month
from bench.scaling.fleet import TaskTime
from bench.scaling.load import Load
from bench.scaling.policy import Parameters, Policy, backlog_per_instance, queue_length, seconds_of_work
from bench.scaling.scenarios import INTERVALS, SPANS, load_of, policies, size_of, sized
from bench.scaling.simulate import Flood, Outcome, simulate

#: A load as the tables name it, and what each policy made of it.
Compared = list[tuple[int, str, bool, Load, list[tuple[Policy, Outcome]]]]
#: Bulk tasks of the flood, and the mean of their lengths in seconds.
FLOOD = Flood(at=1800.0, tasks=1000, seconds=20.0)


def run(load: Load, policy: Policy, task: TaskTime, given: Parameters, **more: object) -> Outcome:
    """A run as long as its interval asks for."""
    seconds, warm_up_s = SPANS[load.interval_s]
    return simulate(load, policy, size_of(load.markets, given), task, seconds, warm_up_s, **more)  # type: ignore[arg-type]


def compare(task: TaskTime, given: Parameters, progress: Callable[[str], None]) -> Compared:
    """Every load under every policy."""
    found: Compared = []
    for markets in (1_000, 10_000, 100_000):
        for interval in INTERVALS:
            for at_once in (False, True):
                load = load_of(markets, interval, at_once)
                progress(f"{markets:,} markets at {interval}, {'at once' if at_once else 'as read'}")
                outcomes = []
                if load.is_possible():
                    outcomes = [(policy, run(load, policy, task, given)) for policy in policies(load, task, given)]
                found.append((markets, interval, at_once, load, outcomes))
    return found


def main_table(compared: Compared, markets: int) -> str:
    """One size: a row for each load and policy, policies that come to the same in one row."""
    rows = []
    for size, interval, at_once, load, outcomes in compared:
        if size != markets:
            continue
        how = "at once" if at_once else f"as read, {load.reading_s():.0f} s"
        if not outcomes:
            rows.append([f"{interval}, {how}", "*not possible: exchanges do not allow it*", *[""] * 6])
        for names, outcome in _together(outcomes):
            rows.append([f"{interval}, {how}", names, *_figures(outcome)])
            how, interval = "", ""
    for row in rows:
        row[0] = row[0].strip(", ")
    head = ["candles", "policy", "p50 s", "p95 s", "p95 of wait s", "workers", "hours a day", "$ a month"]
    return table(head, rows, texts=2)


def _together(outcomes: Sequence[tuple[Policy, Outcome]]) -> list[tuple[str, Outcome]]:
    rows: list[tuple[list[str], Outcome]] = []
    for policy, outcome in outcomes:
        same = [names for names, other in rows if _figures(other) == _figures(outcome)]
        if same:
            same[0].append(policy.name)
        else:
            rows.append(([policy.name], outcome))
    return [("all" if len(names) == len(outcomes) else "; ".join(names), outcome) for names, outcome in rows]


def _figures(outcome: Outcome) -> list[str]:
    waits = [f"{value:,.1f}" for value in (outcome.p50, outcome.p95, outcome.wait_p95)]
    if not outcome.keeps_up:
        waits = ["never catches up", "", ""]
    workers = f"{outcome.workers:.1f} (most {outcome.most_workers})"
    return [*waits, workers, f"{outcome.workers * 24:.0f}", f"{workers_month(outcome.workers):,.0f}"]


def sizing_table(task: TaskTime, given: Parameters) -> str:
    """How many workers the arithmetic asks for."""
    rows = []
    for markets in (1_000, 10_000, 100_000):
        load, burst = (load_of(markets, "1h", at_once) for at_once in (False, True))
        rows.append([f"{markets:,}", str(len(load.rates)), f"{load.reading_s():.0f}"])
        rows[-1] += [str(sized(one, task, given)) for one in (load, burst)]
        rows[-1].append(", ".join(name for name in INTERVALS if load_of(markets, name, False).is_possible()))
    head = ["markets", "exchanges", "reading s", "workers, as read", "workers, all at once (20 at most)", "possible at"]
    return table(head, rows)


def flood_table(task: TaskTime, given: Parameters) -> str:
    """A flood of bulk work beside 1,000 markets at 1m, by policy and by the most workers."""
    ours, documented = (partial(one, given=given) for one in (seconds_of_work, backlog_per_instance))
    load = load_of(1_000, "1m", False)
    rows = []
    for most in (2, 4, 8):
        found = [
            Policy("static, 1", None, lambda now: 1, most),
            Policy("queue length", queue_length, lambda now: 1, most, one_by_one=True),
            Policy("backlog per instance", documented, lambda now: 1, most),
            Policy("seconds of work", ours, lambda now: 1, most),
        ]
        for policy in found if most == 4 else found[-1:]:
            seconds = 4 * 3600.0
            outcome = simulate(load, policy, size_of(1_000, given), task, seconds, 0.0, flood=FLOOD)
            ended = outcome.flood_s or math.inf
            done = f"{ended / 60:.0f}" if math.isfinite(ended) else "not in six hours"
            hours = outcome.workers * outcome.trace[-1][0] / 3600
            rows.append([str(most), policy.name, done, f"{outcome.wait_p95:.1f}", f"{hours:.1f}"])
    return table(
        ["most workers", "policy", "flood done after min", "p95 of wait of live s", "instance hours"], rows, texts=2
    )


def sensitivity_table(task: TaskTime, given: Parameters) -> str:
    """What the assumptions and parameters matter, for 100,000 markets at 5m as read, from one worker and sized."""
    load = load_of(100_000, "5m", False)
    rows = [_row("as assumed", load, task, given)]
    for mean in (0.05, 0.2):
        rows.append(_row(f"LiveMeanSeconds {mean:g}", load, task, replace(given, live_mean_seconds=mean)))
    for goal in (5.0, 30.0):
        rows.append(_row(f"LiveGoalSeconds {goal:g}", load, task, replace(given, live_goal_seconds=goal)))
    rows.append(_row("figures judged at once", load, task, given, delay_s=0.0))
    rows.append(_row("figures judged after 3 minutes", load, task, given, delay_s=180.0))
    rows.append(_row("each Spot worker interrupted once an hour", load, task, given, spot_life_s=3600.0))
    rows.append(_row("markets wait 5 s to share a message", replace(load, patience_s=5.0), task, given))
    return table(["", "from 1: p95 of wait s", "workers", "sized: p95 of wait s", "workers"], rows)


def _row(name: str, load: Load, task: TaskTime, given: Parameters, **more: object) -> list[str]:
    row = [name]
    ours = partial(seconds_of_work, given=given)
    for least in (1, sized(load, task, given)):
        outcome = run(load, Policy("", ours, lambda now, least=least: least, 20), task, given, **more)  # type: ignore[misc]
        row += [f"{outcome.wait_p95:.1f}", f"{outcome.workers:.1f}"]
    return row


def table(head: Sequence[str], rows: Iterable[Sequence[str]], texts: int = 1) -> str:
    """A Markdown table; all but so many columns of text to the right."""
    rule = ["---"] * texts + ["---:"] * (len(head) - texts)
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))
