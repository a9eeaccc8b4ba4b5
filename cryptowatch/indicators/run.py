"""Running a function of one market's series over a panel.

The panel is cut into stretches of known candles. So every indicator starts anew behind an unknown candle, markets
cannot touch one another, and no result is infinite, whatever the function does.
"""

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from cryptowatch.indicators.kernel import Kernel
from cryptowatch.markets.panel import Floats

#: Bytes from which on numpy asks the system for large pages, which are ready four times as fast.
_LARGE = 1 << 22


def run(
    one: Kernel, series: Sequence[Floats], numbers: Sequence[float], outs: Sequence[Floats], kept: Sequence[bool]
) -> None:
    """Run a kernel over each market of a panel, from each of its unknown candles to the next.

    Args:
        series: float64, C-contiguous, shape `(market, time)`; what is not finite counts as unknown.
        outs: as many as the kernel writes: of the same shape, or, where not `kept`, of one market: room to work in, or
            of no length where the kernel can do without.
    """
    markets, steps = series[0].shape
    if not markets or not steps:
        return
    flat = tuple(read_only(array.reshape(-1)) for array in series)
    driver, pointer = _compiled(one)
    driver(pointer, flat, markets, steps, tuple(numbers), tuple(out.reshape(-1) for out in outs), np.array(kept))


def read_only(array: Floats) -> Floats:
    """The same memory, not to be written to."""
    array = array.view()
    array.flags.writeable = False
    return array


@cache
def _compiled(one: Kernel) -> tuple[Any, Any]:
    """The loop over markets, and the kernel as it is passed to it."""
    return _driver(one.signature), one.pointer()


@cache
def _driver(signature: Any) -> Any:
    """The loop over markets for kernels with this signature."""
    from numba import njit, types

    from cryptowatch.indicators.drive import drive

    series = [one for one in signature.args if isinstance(one, types.Array) and not one.mutable]
    outs = [one for one in signature.args if isinstance(one, types.Array) and one.mutable]
    numbers = [one for one in signature.args if not isinstance(one, types.Array)]
    together: Any = types.Tuple
    kept = types.Array(types.boolean, 1, "C")
    arguments = (together(series), types.int64, types.int64, together(numbers), together(outs), kept)
    return njit(types.void(types.FunctionType(signature), *arguments), cache=True, nogil=True)(drive)


def rooms(count: int, shape: tuple[int, ...]) -> list[Floats]:
    """`count` arrays of this shape, side by side in memory."""
    size = count * math.prod(shape)
    enough = _LARGE // 8 if size > _LARGE // 16 else size
    block = np.empty(max(size, enough))[:size]
    return list(block.reshape(count, *shape))


def run_plain(
    function: Callable[..., None],
    series: Sequence[Floats],
    numbers: Sequence[float],
    outs: Sequence[Floats],
    kept: Sequence[bool],
) -> None:
    """What `run` does, for a function that is not compiled."""
    markets, _ = series[0].shape
    for market in range(markets):
        rows = [out[market if keep else 0] for out, keep in zip(outs, kept, strict=True)]
        for row in rows:
            row[:] = np.nan
        known = np.logical_and.reduce([np.isfinite(one[market]) for one in series])
        edges = np.flatnonzero(np.diff(known, prepend=False, append=False))
        with np.errstate(all="ignore"):
            for first, last in zip(edges[::2], edges[1::2], strict=True):
                function(*(one[market, first:last] for one in series), *numbers, *(row[first:last] for row in rows))
        for row in rows:
            row[~np.isfinite(row)] = np.nan
