"""Every exchange that is offered as a source keeps to what is relied on; no network is needed.

Of the three whose wire format is simulated, markets and candles are read as well: see test_sources_exchange.py.
"""

import pytest

from cryptowatch.markets.building import part_for
from cryptowatch.markets.interval import INTERVALS
from cryptowatch.sources.describe import Description, Survey, describe_all
from cryptowatch.sources.exchange import LARGEST_PAGE
from cryptowatch.sources.pace import turn_seconds
from cryptowatch.sources.registry import known_sources, open_source


@pytest.fixture(scope="module")
def survey() -> Survey:
    return describe_all()


def broken(one: Description) -> list[str]:
    """What an exchange does not keep to."""
    exchange = open_source(one.name)
    kinds = [kind for kind in (one.spot, one.perpetual) if kind]
    said = {
        "it has a market to read": bool(kinds),
        "its intervals are ours, and told in order": list(one.intervals)
        == [name for name in INTERVALS if name in one.intervals],
        "every interval above its shortest can be had": all(
            name in one.intervals or part_for(INTERVALS[name], one.intervals)
            for name in INTERVALS
            if INTERVALS[name] > INTERVALS[one.intervals[0]]
        ),
        "its pages hold candles": 1 < exchange.page() <= LARGEST_PAGE,
        "its limit allows a request": all(0 < kind.requests_per_second < 2000 for kind in kinds),
        "a turn at it has a length": 0 < turn_seconds(exchange._client, 1.0) < 60,
        "it is known by its name": one.name in known_sources(),
    }
    return [what for what, kept in said.items() if not kept]


def test_every_exchange_that_is_offered_keeps_to_it(survey: Survey) -> None:
    assert {one.name: broken(one) for one in survey.described if broken(one)} == {}
    assert len(survey.described) >= 80
    assert {"binance", "coinbase", "kraken"} <= {one.name for one in survey.described}
