"""Writes docs/scaling.md and its charts, and the table of costs in docs/operating.md."""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import yaml

from bench.scaling import plot, tables
from bench.scaling.costs import month, prices
from bench.scaling.fleet import TaskTime
from bench.scaling.policy import Parameters, Policy, seconds_of_work
from bench.scaling.scenarios import FOLDER, load_of, sized

DOCS = Path(__file__).resolve().parents[2] / "docs"


def write(compared: tables.Compared, task: TaskTime, given: Parameters) -> None:
    """All of it: each generated part replaces the one between its two marks; the charts are written anew."""
    charts = DOCS / "scaling"
    charts.mkdir(exist_ok=True)
    (charts / "reacting.svg").write_text(_reacting(task, given))
    (charts / "waits.svg").write_text(_waits(compared))
    parts = {f"main {markets}": tables.main_table(compared, markets) for markets in (1_000, 10_000, 100_000)}
    parts |= {
        "sizing": tables.sizing_table(task, given),
        "flood": tables.flood_table(task, given),
        "sensitivity": tables.sensitivity_table(task, given),
        "validation": validation_table(),
        "measured": measured_line(task),
    }
    replace_parts(DOCS / "scaling.md", parts)
    replace_parts(DOCS / "operating.md", {"costs": costs_table(task, given)})


def replace_parts(page: Path, parts: Mapping[str, str]) -> None:
    """Put each text between `<!-- name -->` and `<!-- end -->`.

    Raises:
        ValueError: the page has no such marks.
    """
    text = page.read_text()
    for name, part in parts.items():
        marked = re.compile(rf"(<!-- {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
        if not marked.search(text):
            raise ValueError(f"{page} has no marks for {name!r}")
        text = marked.sub(lambda found, part=part: f"{found[1]}{part}\n{found[2]}", text)  # type: ignore[misc]
    page.write_text(text)


def costs_table(task: TaskTime, given: Parameters) -> str:
    """Dollars a month, idle and by load, item by item."""
    loads = [None, *(load_of(*one, False) for one in ((100, "1m"), (1_000, "1m"), (10_000, "1m"), (10_000, "1h")))]
    loads.append(load_of(100_000, "1h", False))
    names = ["idle", "100 at 1m", "1,000 at 1m", "10,000 at 1m", "10,000 at 1h", "100,000 at 1h"]
    columns = [month(load, task, given) for load in loads]
    rows = [[item, *(f"{column[item]:,.2f}" for column in columns)] for item in columns[0]]
    rows.append(["**together**", *(f"**{sum(column.values()):,.0f}**" for column in columns)])
    listed = (
        f"List prices of {prices()['region']}, gathered {prices()['date']} and to be checked, in US dollars a month:"
    )
    return f"{listed}\n\n{tables.table(['', *names], rows)}"


def measured_line(task: TaskTime) -> str:
    """The task times the tables stand on."""
    return (
        f"A task of 100 markets with five watches each takes {task.mean(100):.2f} s here, one of a single market "
        f"{task.mean(1):.3f} s; in {task.database_share:.0%} of it the database works, not the worker."
    )


def validation_table() -> str:
    """The model beside real workers."""
    data = yaml.safe_load((FOLDER / "validated.yaml").read_text())
    rows = [
        [name, *(f"{one[key]:.2f}" for key in ("p50_measured", "p50_model", "p50_ratio"))]
        + [f"{one[key]:.2f}" for key in ("p95_measured", "p95_model", "p95_ratio")]
        for name, one in data["bursts"].items()
    ]
    head = ["burst", "p50 measured s", "model s", "ratio", "p95 measured s", "model s", "ratio"]
    return tables.table(head, rows)


def _reacting(task: TaskTime, given: Parameters) -> str:
    load = load_of(100_000, "5m", False)
    ours = partial(seconds_of_work, given=given)
    series = []
    for name, least in (("from one worker", 1), ("with the least number sized", sized(load, task, given))):
        outcome = tables.run(load, Policy(name, ours, lambda now, least=least: least, 20), task, given)  # type: ignore[misc]
        series.append((f"workers in service, {name}", [(at, float(count)) for at, _, count in outcome.trace]))
        series.append((f"messages waiting / 100, {name}", [(at, waiting / 100) for at, waiting, _ in outcome.trace]))
    return plot.lines("100,000 markets at 5m, as the exchanges allow", "count", series)


def _waits(compared: tables.Compared) -> str:
    groups = [
        (f"{markets:,} at {interval}", [(policy.name, outcome.wait_p95) for policy, outcome in outcomes[:6]])
        for markets, interval, at_once, _, outcomes in compared
        if outcomes and not at_once and interval != "1m" and markets > 1_000
    ]
    return plot.bars("p95 of the wait from a message's arrival to its evaluation, as read", "seconds", groups)
