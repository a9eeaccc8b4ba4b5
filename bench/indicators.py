"""What the indicators cost, side by side with `ta`, TA-Lib and pandas-ta-classic: `make bench`.

The 25 common indicators over 1,000 markets of 500 candles, on one core, a hundred markets at a time as a worker gets
them: the results of a hundred are kept until all of them are there. Results are compared before anything is timed;
times are medians of runs that take turns, ratios are of those medians. Slow libraries are timed on fewer markets.
Writes docs/benchmarks.md.
"""

import functools
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from bench.common_indicators import COMMON, NOT_COMPARED, Candles, by_pandas_ta_classic, by_ta, by_talib, made_up, ours
from bench.laws import costs_of_laws
from cryptowatch.indicators import CATALOGUE, Indicator
from cryptowatch.markets.panel import Floats

MARKETS, CANDLES, ROUNDS = 1000, 500, 9
#: Markets of one message to a worker, at most.
BATCH = 100
#: Candles after which every library has forgotten how it began.
SETTLED = 420
#: The libraries: how to compute one market, and how many markets are timed.
LIBRARIES: dict[str, tuple[Callable[[Candles], dict[str, Floats]], int]] = {
    "TA-Lib": (by_talib, MARKETS),
    "pandas-ta-classic": (by_pandas_ta_classic, 8),
    "ta": (by_ta, 4),
}
PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"


def one_market(candles: Candles, market: int) -> Candles:
    return Candles(*(series[market] for series in candles))


def worst_differences(candles: Candles) -> dict[str, float]:
    """For each library, the worst relative error of ours on its outputs, once every start is forgotten.

    Raises:
        AssertionError: it is not the same thing that is computed.
    """
    mine = ours(Candles(*(series[:4] for series in candles)))
    worst = {}
    for library, (compute, _) in LIBRARIES.items():
        errors = {}
        for market in range(4):
            theirs = compute(one_market(candles, market))
            assert set(theirs) == set(mine)
            for name, values in theirs.items():
                if (library, name) in NOT_COMPARED:
                    continue
                expected, got = np.asarray(values)[SETTLED:], mine[name][market, SETTLED:]
                if name in ("obv.value", "adl.value"):  # levels that may begin at the first or the second candle
                    expected, got = np.diff(expected), np.diff(got)
                scale = max(float(np.max(np.abs(expected))), 1e-9)
                errors[name] = max(errors.get(name, 0.0), float(np.max(np.abs(got - expected))) / scale)
        worst[library] = max(errors.values())
        assert worst[library] < 1e-7, (library, {name: error for name, error in errors.items() if error >= 1e-7})
    return worst


def just_written(candles: Candles) -> list[Floats]:
    """As many outputs, filled with a number by NumPy."""
    return [np.full(candles.close.shape, 1.0) for outputs in COMMON.values() for _ in outputs]


def in_batches(compute: Callable[[Candles], object], candles: Candles) -> None:
    """For a hundred markets after the other, the results of each hundred kept until it is done."""
    for first in range(0, len(candles.close), BATCH):
        compute(Candles(*(series[first : first + BATCH] for series in candles)))


def _one_after_the_other(compute: Callable[[Candles], object], candles: Candles) -> list[object]:
    return [compute(one_market(candles, market)) for market in range(len(candles.close))]


def seconds_of(compute: Callable[[], object]) -> float:
    started = time.perf_counter()
    kept = compute()
    took = time.perf_counter() - started
    del kept
    return took


def medians(candles: Candles) -> dict[str, float]:
    """Seconds a market, of each; they take turns, the order of the last round reversed."""
    runs: dict[str, tuple[Callable[[], object], int]] = {
        "ours": (lambda: in_batches(ours, candles), MARKETS),
        "written by NumPy": (lambda: in_batches(just_written, candles), MARKETS),
    }
    for library, (compute, markets) in LIBRARIES.items():
        some = Candles(*(series[:markets] for series in candles))
        each = functools.partial(_one_after_the_other, compute)
        runs[library] = (lambda each=each, some=some: in_batches(each, some), markets)
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for round_ in range(-1, ROUNDS):
        for name in list(runs)[:: 1 if round_ % 2 else -1]:
            run, markets = runs[name]
            took = seconds_of(run) / markets
            if round_ >= 0:
                seconds[name].append(took)
    return {name: statistics.median(each) for name, each in seconds.items()}


def compared(candles: Candles) -> Iterator[str]:
    """The main table."""
    errors = worst_differences(candles)
    found = medians(candles)
    mine = found["ours"]
    yield "| | µs a market | times ours | worst relative difference |"
    yield "|---|---:|---:|---:|"
    for name, seconds in sorted(found.items(), key=lambda item: item[1]):
        error = f"{errors[name]:.0e}" if name in errors else ""
        yield f"| {name} | {seconds * 1e6:,.1f} | {seconds / mine:,.2f} | {error} |"


def kept_whole(candles: Candles) -> Iterator[str]:
    """The same with all markets at once, everything kept: beside writing as much memory."""
    whole: dict[str, Callable[[], object]] = {
        "ours": lambda: ours(candles),
        "written by NumPy": lambda: just_written(candles),
        "TA-Lib": lambda: _one_after_the_other(by_talib, candles),
    }
    seconds: dict[str, list[float]] = {name: [] for name in whole}
    for _ in range(ROUNDS):
        for name, compute in whole.items():
            seconds[name].append(seconds_of(compute) / MARKETS)
    mine = statistics.median(seconds["ours"])
    yield "| all 1,000 markets at once | µs a market | times ours |"
    yield "|---|---:|---:|"
    for name, each_ in seconds.items():
        yield f"| {name} | {statistics.median(each_) * 1e6:,.1f} | {statistics.median(each_) / mine:,.2f} |"


def growth() -> Iterator[str]:
    """Time for each candle as markets and candles grow."""
    yield "| markets | candles | ns a candle |"
    yield "|---:|---:|---:|"
    sizes = [(100, 500), (1000, 500), (10_000, 500), (1, 500), (1, 5_000), (1, 50_000), (1, 500_000)]
    for markets, candles in sizes:
        panel = made_up(markets, candles)
        ours(panel)
        rounds = 3 if markets * candles > 10**6 else 7
        took = statistics.median(seconds_of(lambda panel=panel: ours(panel)) for _ in range(rounds))
        yield f"| {markets:,} | {candles:,} | {took / markets / candles * 1e9:,.1f} |"


def each(candles: Candles) -> Iterator[str]:
    """What every indicator of the catalogue costs, with all of its outputs."""
    yield "| indicator | outputs | by | µs a market |"
    yield "|---|---:|---|---:|"
    opened = 1_700_006_400 + 60.0 * np.arange(CANDLES)
    for name, entry in sorted(CATALOGUE.items()):
        took = statistics.median(seconds_of(lambda entry=entry: _alone(entry, candles, opened)) for _ in range(5))
        markets = len(_markets(entry, candles).close)
        yield f"| {name} | {len(entry.outputs)} | {entry.engine} | {took / markets * 1e6:,.1f} |"


def _markets(entry: Indicator, candles: Candles) -> Candles:
    return candles if entry.engine == "numba" else Candles(*(series[:8] for series in candles))


def _alone(entry: Indicator, candles: Candles, opened: Floats) -> dict[str, Floats]:
    some = _markets(entry, candles)
    rises = (some.close > some.open).astype(np.float64)
    given = {"time": np.broadcast_to(opened, some.close.shape), "condition": rises}
    series = [given[one] if one in given else getattr(some, one) for one in entry.series]
    return entry.compute(*series, parameters=entry.bind((), {}))


def peak_memory() -> str:
    """Bytes at the peak, as a multiple of inputs and outputs, in a process of its own."""
    code = f"""
import resource
from bench.common_indicators import COMMON, made_up, ours
ours(made_up(10, {CANDLES}))
before = int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
candles = made_up({MARKETS}, {CANDLES})
open("/proc/self/clear_refs", "w").write("5")
found = ours(candles)
peak = next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
print((peak - before) / (sum(one.nbytes for one in candles) + sum(one.nbytes for one in found.values())))
"""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def first_call() -> float:
    """Seconds from the start of a process to its first result, compiled code being on disk."""
    code = "import numpy as np; from cryptowatch.indicators import evaluate; evaluate('rsi(14)', close=np.ones(500))"
    subprocess.run([sys.executable, "-c", code], check=True)
    return statistics.median(
        seconds_of(lambda: subprocess.run([sys.executable, "-c", code], check=True)) for _ in range(3)
    )


def kind_of_machine() -> str:
    kind = f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()}"
    return f"a machine with {kind}, Python {platform.python_version()}"


def page() -> Iterator[str]:
    candles = made_up(MARKETS, CANDLES)
    outputs = sum(len(one) for one in COMMON.values())
    yield "# Benchmarks\n"
    yield f"Written by `make bench` on {kind_of_machine()}. Times depend on the machine; the ratios hardly do.\n"
    yield f"## {len(COMMON)} common indicators\n"
    yield (
        f"{', '.join(COMMON)}: {outputs} outputs, {MARKETS:,} markets of {CANDLES} candles, one core, "
        f"{BATCH} markets at a time as a worker gets them. Medians of runs that take turns; results are compared "
        "before anything is timed.\n"
    )
    yield from compared(candles)
    yield ""
    yield from kept_whole(candles)
    yield f"\nPeak memory: {float(peak_memory()):.2f} times inputs and outputs."
    yield f"First result {first_call():.2f} s after the start of a process, with compiled code on disk.\n"
    yield "## What the laws cost\n"
    yield from costs_of_laws(candles)
    yield "\n## How it grows\n"
    yield "The same indicators; nothing grows faster than the number of candles.\n"
    yield from growth()
    yield "\n## Each indicator\n"
    yield "All outputs, defaults, 500 candles.\n"
    yield from each(candles)


def main() -> None:
    text = "\n".join(page()) + "\n"
    PAGE.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
