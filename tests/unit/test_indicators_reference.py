"""Values that others compute for the same candles, row by row of `bench.references`."""

import pytest

from bench.references import RECORDS, Candles, Reference, compare, load, reference_rows
from bench.references.__main__ import PAGE, table_keys
from bench.references.generated import walk
from cryptowatch.indicators import CATALOGUE

ROWS = reference_rows()
every_row = pytest.mark.parametrize("row", ROWS, ids=[f"{row.indicator}.{row.output} by {row.by}" for row in ROWS])


def agrees(row: Reference, name: str, candles: Candles) -> int:
    """Check a row on candles; how many were compared."""
    found = compare(row, candles)
    assert found.error <= row.tolerance, f"{found.error:.2e} at candle {found.at} of {name}"
    if row.by == "definition" and row.after is None:
        assert found.candles == found.ours == found.theirs, f"of {name}: where one is known, so is the other"
    return found.candles


@every_row
def test_recorded_candles_give_what_others_compute(recorded, row) -> None:
    assert sum(agrees(row, record, load(record)) for record in RECORDS) > 0


@every_row
def test_generated_candles_give_what_others_compute(row) -> None:
    agrees(row, "the walk", walk())


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=CATALOGUE)
def test_every_output_of_the_catalogue_is_compared_with_another(entry) -> None:
    rows = [row for row in ROWS if row.indicator == entry.name]
    assert {row.output for row in rows} == set(entry.outputs)


def test_what_is_compared_is_said_in_the_docs() -> None:
    assert table_keys(PAGE.read_text()) == [(row.indicator, row.output, row.by) for row in ROWS]
