"""Shared by all tiers."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture
def recorded() -> Path:
    """The folder of real market data, kept beside the checkout and not part of it."""
    if not SHARED.is_dir():
        pytest.skip("real market data (../shared/data) is not on this machine")
    return SHARED
