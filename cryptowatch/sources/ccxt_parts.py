"""Single exchanges of ccxt, without the other hundred.

`import ccxt` runs every exchange's module, which takes seconds of processor time: too long for a function that reads
one. An exchange's own module imports only ccxt's base, so the package is entered without running its `__init__`.
"""

import importlib
import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

#: Modules beside the exchanges that are none.
_NOT_EXCHANGES = frozenset({"__init__"})


def _package() -> ModuleType:
    """The package `ccxt`: the whole one if somebody has imported it, else its bare frame."""
    loaded = sys.modules.get("ccxt")
    if loaded is not None:
        return loaded
    spec = importlib.util.find_spec("ccxt")
    if spec is None:
        raise ModuleNotFoundError("ccxt is not installed: pip install ccxt")
    frame = importlib.util.module_from_spec(spec)
    sys.modules["ccxt"] = frame
    return frame


@cache
def exchange_ids() -> tuple[str, ...]:
    """The ids of the exchanges ccxt knows."""
    folder = Path(next(iter(_package().__path__)))
    return tuple(sorted(path.stem for path in folder.glob("*.py") if path.stem not in _NOT_EXCHANGES))


def exchange_class(id_: str) -> Any:
    """ccxt's class of one exchange; `id_` is one of `exchange_ids()`."""
    _package()
    return getattr(importlib.import_module(f"ccxt.{id_}"), id_)


def errors() -> Any:
    """ccxt's module of errors."""
    _package()
    return importlib.import_module("ccxt.base.errors")
