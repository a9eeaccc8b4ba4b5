"""What the command line must know of a running local stack: one small file in the data folder."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptowatch.local.processes import is_same_process

#: Where a local stack keeps its data unless told otherwise.
DATA_FOLDER = Path(".local")


@dataclass(frozen=True)
class LocalState:
    """A running local stack.

    Args:
        pid, born: the runner's process, and when it was started (seconds since the epoch).
        exchange_url: the simulated exchange; None when the stack reads the real ones.
    """

    pid: int
    born: float
    endpoint_url: str
    region: str
    control_function: str
    exchange_url: str | None


def _file(folder: Path) -> Path:
    return folder / "stack.json"


def write_state(folder: Path, state: LocalState) -> None:
    fresh = _file(folder).with_suffix(".tmp")
    fresh.write_text(json.dumps(asdict(state)))
    fresh.replace(_file(folder))


def remove_state(folder: Path) -> None:
    _file(folder).unlink(missing_ok=True)


def read_state(folder: Path = DATA_FOLDER) -> LocalState | None:
    """The stack that runs in this data folder; None when none does."""
    try:
        state = LocalState(**json.loads(_file(folder).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return state if is_same_process(state.pid, state.born) else None
