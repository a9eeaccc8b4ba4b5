"""Kernels: compiled functions of one market's series.

A kernel is written for a single market and a stretch of candles that are all known: `(series..., numbers..., outs...)`,
one-dimensional float64 arrays, the outs holding NaN when it begins. It walks from the first candle on, one step after
the other, without reassociation: a value depends on the stretch's first candle and on what lies between, never on how
many candles or markets follow.

numba is imported when the first kernel runs, not before: reading a rule needs the catalogue alone.
"""

import hashlib
import inspect
import threading
from collections.abc import Callable, Iterator
from functools import cached_property, update_wrapper
from pathlib import Path
from typing import Annotated, Any

from cryptowatch.markets.panel import Floats

#: numba's setting of where it keeps code is one for the whole process.
_LOCK = threading.RLock()

#: What a kernel reads: one market's series, without an unknown candle in it.
Series = Annotated[Floats, "read"]
#: What a kernel writes: NaN where it leaves it alone.
Out = Annotated[Floats, "written"]


class Kernel:
    """A function that numba compiles when it is first needed, and keeps on disk.

    Kernels may call one another. An annotation says what each argument is: `Series`, `Out`, `int` or `float`; one that
    only other kernels call may take and give anything numba knows.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        update_wrapper(self, function)

    def __call__(self, *arguments: Any) -> Any:
        return self.compiled(*arguments)

    @cached_property
    def compiled(self) -> Any:
        """The numba function."""
        from numba import njit
        from numba.core import config

        settings: Any = config
        # numba looks at a function's own file to tell whether its code is still good, not at what it calls.
        with _LOCK:
            before = settings.CACHE_DIR
            settings.CACHE_DIR = _cache_folder(before, self)
            try:
                return njit(self.function, cache=True, nogil=True, error_model="numpy")
            finally:
                settings.CACHE_DIR = before

    @property
    def _numba_type_(self) -> Any:
        """How numba sees it inside another kernel."""
        return self.compiled._numba_type_

    @cached_property
    def signature(self) -> Any:
        """numba's types of its arguments, by their annotations."""
        from numba import types

        known = {
            Series: types.Array(types.float64, 1, "C", readonly=True),
            Out: types.Array(types.float64, 1, "C"),
            int: types.int64,
            float: types.float64,
        }
        return types.void(*(known[one.annotation] for one in inspect.signature(self.function).parameters.values()))

    def pointer(self) -> "_Pointer":
        """It as a function pointer, compiled for its signature: what the loop over markets is given.

        numba takes one from a compiled function too, but looks its code up anew at each call.
        """
        from numba import types

        self.compiled.compile(self.signature)
        code = self.compiled.get_compile_result(self.signature)
        address = code.library.get_pointer_to_function(code.fndesc.llvm_cfunc_wrapper_name)
        return _Pointer(types.FunctionType(self.signature), address)

    def calls(self) -> Iterator["Kernel"]:
        """The kernels it calls, and those they call."""
        for name in self.function.__code__.co_names:
            called = self.function.__globals__.get(name)
            if isinstance(called, Kernel):
                yield called
                yield from called.calls()


class _Pointer:
    """What numba takes for a function pointer: its type, and its address."""

    def __init__(self, type_: Any, address: int) -> None:
        self._numba_type_ = type_
        self._address = address

    def __wrapper_address__(self) -> int:
        return self._address


def kernel(function: Callable[..., Any]) -> Kernel:
    """Make a function a kernel."""
    return Kernel(function)


def _cache_folder(base: str, one: Kernel) -> str:
    """Where numba keeps the kernel's code: a folder for each version of the other files whose kernels it calls."""
    own = inspect.getsourcefile(one.function)
    files = {inspect.getsourcefile(other.function) for other in one.calls()} - {own}
    if not files:
        return base
    text = "".join(Path(file).read_text() for file in sorted(file for file in files if file))
    folder = Path(base) if base else Path(__file__).parent / "__pycache__"
    versioned = folder / hashlib.sha256(text.encode()).hexdigest()[:12]
    try:
        versioned.mkdir(parents=True, exist_ok=True)
    except OSError:
        # A package that cannot be written to does not change either: numba finds a place by itself.
        return base
    return str(versioned)
