"""The AWS emulator for a test, mended where it loses what the update of a nested stack needs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptowatch.local.deploy import Emulator
from cryptowatch.local.emulator import start_emulator, wait_for_emulator

FIX = Path(__file__).with_name("emulator_fix")


@contextmanager
def emulated(folder: Path) -> Iterator[Emulator]:
    """It runs as long as the context does, with its files in `folder`."""
    child, emulator = start_emulator(folder, {"PYTHONPATH": str(FIX)})
    try:
        wait_for_emulator(child, emulator)
        yield emulator
    finally:
        child.stop()
