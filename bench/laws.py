"""What the laws cost: the same arithmetic without them, for the 25 common indicators."""

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numba import njit, types

from bench.common_indicators import COMMON, Candles
from cryptowatch.indicators import find
from cryptowatch.indicators.drive import cut, cut_outs
from cryptowatch.indicators.kernel import Kernel, Out, Series
from cryptowatch.indicators.run import read_only, rooms
from cryptowatch.indicators.windows import mean, mean_and_deviation
from cryptowatch.markets.panel import Bools, Floats

ROUNDS = 9


def costs_of_laws(candles: Candles) -> Iterator[str]:
    """A table: each law, the time with it and without it."""
    yield "| law | what is compared | with it | without it | cost |"
    yield "|---|---|---:|---:|---:|"
    for law, what, with_it, without_it in _pairs(candles):
        with_it(), without_it()
        both = [(_seconds(with_it), _seconds(without_it)) for _ in range(ROUNDS)]
        lawful, lawless = (statistics.median(times) * 1e6 / len(candles.close) for times in zip(*both, strict=True))
        yield f"| {law} | {what} | {lawful:.1f} µs | {lawless:.1f} µs | {lawful / lawless - 1:+.0%} |"


def _pairs(candles: Candles) -> Iterator[tuple[str, str, Callable[[], object], Callable[[], object]]]:
    from bench.common_indicators import ours

    yield (
        "unknown candles start a market anew, nothing is infinite, unknown before the warm-up",
        "the 25, run over whole markets without a look at their values",
        lambda: ours(candles),
        lambda: _lawless(candles),
    )
    close = candles.close
    yield (
        "a window of equal values gives exactly that value, a spike leaves nothing behind",
        "sma: a running sum instead of sums built anew",
        lambda: _bare(mean, [close], [20], 1),
        lambda: _bare(_running_mean, [close], [20], 1),
    )
    yield (
        "the same",
        "mean and deviation: running sums of values and squares",
        lambda: _bare(mean_and_deviation, [close], [20], 2),
        lambda: _bare(_running_deviation, [close], [20], 2),
    )


def _lawless(candles: Candles) -> list[list[Floats]]:
    found = []
    for name in COMMON:
        entry = find(name)
        assert isinstance(entry.function, Kernel)
        numbers = list(entry.bind((), {}).values())
        series = [getattr(candles, one) for one in entry.series]
        kept = [output in COMMON[name] for output in entry.outputs]
        found.append(_bare(entry.function, series, numbers, len(entry.outputs), kept))
    return found


def _bare(
    kernel: Kernel, series: list[Floats], numbers: list[float], outputs: int, kept: list[bool] | None = None
) -> list[Floats]:
    """Call the kernel for each market, and nothing else."""
    kept = kept or [True] * outputs
    shape = series[0].shape
    room = iter(rooms(sum(kept), shape))
    outs = [next(room) if keep else np.empty((1, shape[1])) for keep in kept]
    kernel.compiled.compile(kernel.signature)
    flat = tuple(read_only(one.reshape(-1)) for one in series)
    flat_outs = tuple(out.reshape(-1) for out in outs)
    _driver(kernel.signature)(kernel.compiled, flat, *shape, tuple(numbers), flat_outs, np.array(kept))
    return outs


_drivers: dict[Any, Any] = {}


def _driver(signature: Any) -> Any:
    if signature not in _drivers:
        arrays = [one for one in signature.args if isinstance(one, types.Array)]
        groups = [
            types.Tuple([one for one in arrays if not one.mutable]),
            types.int64,
            types.int64,
            types.Tuple([one for one in signature.args if not isinstance(one, types.Array)]),
            types.Tuple([one for one in arrays if one.mutable]),
            types.Array(types.boolean, 1, "C"),
        ]
        _drivers[signature] = njit(types.void(types.FunctionType(signature), *groups), nogil=True)(_each_market)
    return _drivers[signature]


def _each_market(
    kernel: Kernel,
    series: tuple[Floats, ...],
    markets: int,
    steps: int,
    numbers: tuple[float, ...],
    outs: tuple[Floats, ...],
    kept: Bools,
) -> None:
    for market in range(markets):
        first, last = market * steps, (market + 1) * steps
        kernel(*cut(series, first, last), *numbers, *cut_outs(outs, kept, 0, first, last))


def _mean_by_running_sum(source: Series, length: int, value: Out) -> None:
    total = 0.0
    for step in range(len(source)):
        total += source[step]
        if step >= length:
            total -= source[step - length]
        value[step] = total / length if step >= length - 1 else np.nan


def _deviation_by_running_sums(source: Series, length: int, mean: Out, deviation: Out) -> None:
    total = squares = 0.0
    for step in range(len(source)):
        now = source[step]
        total += now
        squares += now * now
        if step >= length:
            old = source[step - length]
            total -= old
            squares -= old * old
        middle = total / length
        mean[step] = middle
        deviation[step] = np.sqrt(max(squares / length - middle * middle, 0.0))


_running_mean = Kernel(_mean_by_running_sum)
_running_deviation = Kernel(_deviation_by_running_sums)


def _seconds(compute: Callable[[], object]) -> float:
    started = time.perf_counter()
    kept = compute()
    took = time.perf_counter() - started
    del kept
    return took
