"""The indicator reference, written from the catalogue: the command `indicators` and docs/indicators.md show it."""

import sys
from collections.abc import Iterator
from typing import Any

from cryptowatch.indicators.catalogue import CATALOGUE, Indicator, Parameter

_INTRODUCTION = """# Indicators

What a rule may compute, written from the catalogue by `make docs`. [rules.md](rules.md) tells how they are used,
[accuracy.md](accuracy.md) which values of other libraries each one equals, [benchmarks.md](benchmarks.md) what they
cost.

- Parameters are given in order or by name, and have the defaults shown. Where the first argument is a series, it may be
  left out, or be any other series or indicator: `sma(20)`, `sma(volume, 20)`, `ema(rsi(14), 9)`.
- The first output is meant when a rule names none; others are named after a dot: `macd(12, 26, 9).signal`.
- *First value*: candles that come before it. *Looks back*: candles, this one among them, after which the start of the
  series no longer matters (of a recursive average 1e-10 of it is left). Both are given for the defaults.
- Units: a *price* is measured like the source, a *change* is a difference of those; *percent*, *ratio*, *candles* and
  *flag* (1 or 0) are the same whatever prices are measured in; *turnover* is price times volume.
- Nothing is ever infinite: a division by zero, and what is not known yet, is unknown.
"""


def signature(entry: Indicator) -> str:
    """How it is called, with its defaults: `ema(close, length=20)`."""
    source = [entry.series[0]] if entry.inputs[0] in ("source", "condition") else []
    return f"{entry.name}({', '.join([*source, *(f'{one.name}={one.default:g}' for one in entry.parameters)])})"


def facts(entry: Indicator) -> Iterator[tuple[str, str]]:
    """What is known of it: a label and a text each."""
    defaults = entry.bind((), {})
    yield "outputs", ", ".join(f"{name} ({unit})" for name, unit in entry.outputs.items())
    yield "reads", ", ".join(entry.series)
    if entry.parameters:
        yield "ranges", ", ".join(_range(one) for one in entry.parameters) + _ascending(entry)
    first = sorted({entry.warm_up(defaults, output) for output in entry.outputs})
    shortest = "" if entry.look_back(defaults) == entry.look_back(defaults, 3600) else " of 1m"
    yield (
        "first value",
        f"after {' to '.join(str(one) for one in dict.fromkeys((first[0], first[-1])))} candles{shortest}",
    )
    note = " (a convention: it may switch sides for good)" if entry.flips else ""
    note = " (its level counts from the first candle: only its moves say something)" if entry.cumulative else note
    yield "looks back", f"{entry.look_back(defaults)} candles{shortest}{note}"
    where = "over the candles" if entry.drawn == "price" else "in a pane of its own"
    lines = f", with lines at {', '.join(f'{level:g}' for level in entry.levels)}" if entry.levels else ""
    yield "drawn", where + lines
    yield "formula", entry.formula
    if entry.notes:
        yield "notes", entry.notes
    yield "source", entry.source
    yield "computed by", entry.engine
    if entry.aliases:
        yield "also called", ", ".join(entry.aliases)


def as_data(entry: Indicator) -> dict[str, Any]:
    """What is known of it, for a program."""
    defaults = entry.bind((), {})
    return {
        "name": entry.name,
        "title": entry.title,
        "aliases": list(entry.aliases),
        "reads": list(entry.series),
        "parameters": [
            {"name": one.name, "default": one.default, "least": one.least, "most": one.most, "whole": one.whole}
            for one in entry.parameters
        ],
        "outputs": dict(entry.outputs),
        "warm_up": {output: entry.warm_up(defaults, output) for output in entry.outputs},
        "look_back": entry.look_back(defaults),
        "drawn": entry.drawn,
        "levels": list(entry.levels),
        "cumulative": entry.cumulative,
        "formula": entry.formula,
        "notes": entry.notes,
        "source": entry.source,
        "engine": entry.engine,
    }


def page() -> str:
    """The whole reference as Markdown."""
    groups: dict[str, list[Indicator]] = {}
    for entry in CATALOGUE.values():
        groups.setdefault(entry.module, []).append(entry)
    parts = [_INTRODUCTION, _overview()]
    for module, entries in groups.items():
        parts.append(f"## {(sys.modules[module].__doc__ or module).splitlines()[0].rstrip('.')}\n")
        parts += [_section(entry) for entry in entries]
    return "\n".join(parts)


def _overview() -> str:
    rows = ["| name | | outputs |", "|---|---|---|"]
    for entry in sorted(CATALOGUE.values(), key=lambda one: one.name):
        outputs = " ".join(f"`{name}`" for name in entry.outputs) if len(entry.outputs) > 1 else ""
        rows.append(f"| [`{entry.name}`](#{entry.name}) | {entry.title} | {outputs} |")
    count = sum(len(entry.outputs) for entry in CATALOGUE.values())
    return f"{len(CATALOGUE)} indicators with {count} outputs.\n\n" + "\n".join(rows) + "\n"


def _section(entry: Indicator) -> str:
    lines = [f"### {entry.name}\n", f"{entry.title}: `{signature(entry)}`\n"]
    lines += [f"- {label}: {text}" for label, text in facts(entry)]
    return "\n".join(lines) + "\n"


def _range(parameter: Parameter) -> str:
    whole = "" if parameter.whole else " (any number)"
    return f"{parameter.name} {parameter.least:g} to {parameter.most:g}{whole}"


def _ascending(entry: Indicator) -> str:
    return f"; {' < '.join(entry.ascending)}" if entry.ascending else ""


if __name__ == "__main__":
    sys.stdout.write(page())
