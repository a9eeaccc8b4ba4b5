"""Moments are skipped where nothing happens, and only there."""

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cryptowatch.alerts.episode import Episode, Policy, advance
from cryptowatch.markets.interval import INTERVALS
from cryptowatch.studies.walk import Told, Walk

GRID = INTERVALS["5m"]
FIRST = GRID.step_at(datetime(2026, 3, 2, tzinfo=UTC))
TIMES = st.none() | st.integers(0, 70).map(lambda minutes: GRID.open_time(FIRST) + timedelta(minutes=7 * minutes))
STRETCHES = st.lists(
    st.tuples(st.sampled_from([1, 0, -1]), st.sampled_from([1, 0, -1]), st.integers(1, 12)), min_size=1, max_size=16
)


@st.composite
def policies(draw) -> Policy:
    return Policy(
        for_=draw(st.integers(1, 4)),
        cooldown=timedelta(minutes=draw(st.sampled_from([0, 5, 12, 60]))),
        resolved=draw(st.booleans()),
        repeat=draw(st.none() | st.integers(1, 40).map(lambda minutes: timedelta(minutes=minutes))),
        once=draw(st.booleans()),
        starts=draw(TIMES),
        expires=draw(TIMES),
    )


@given(STRETCHES, st.booleans(), policies(), st.lists(st.integers(0, 120), max_size=3))
@settings(max_examples=1000, deadline=None)
def test_a_walk_tells_and_ends_as_advance_does_moment_by_moment(stretches, has_until, policy, cuts) -> None:
    truth = np.repeat([one[0] for one in stretches], [one[2] for one in stretches]).astype(np.int8)
    ended = np.repeat([one[1] for one in stretches], [one[2] for one in stretches]).astype(np.int8)
    episode, told = Episode(), []
    for column, (true, end) in enumerate(zip(truth.tolist(), ended.tolist(), strict=True)):
        step = FIRST + column
        episode, kinds = advance(episode, true, GRID.close_time(step), policy, end if has_until else None)
        told += [Told(step, kind) for kind in kinds]

    walk, walked = Walk(GRID, policy), []
    edges = sorted({0, *(min(cut, len(truth)) for cut in cuts), len(truth)})
    for start, stop in zip(edges, edges[1:], strict=False):
        walked += walk.through(truth[start:stop], ended[start:stop] if has_until else None, FIRST + start)
    assert walked == told
    assert walk.episode == episode
    assert walk.held["cooldown"] == episode.cooled


def held(letters: str, **policy) -> dict[str, int]:
    walk = Walk(GRID, Policy(**policy))
    walk.through(np.array([{"T": 1, "f": 0}[letter] for letter in letters], dtype=np.int8), None, FIRST)
    return dict(walk.held)


def test_what_holds_signals_back_is_counted() -> None:
    assert held("fTfTfTTT", cooldown=timedelta(hours=1)) == {"cooldown": 2}
    assert held("fTfTfTTT", once=True) == {"once": 2}
    assert held("fTfTfTTT", starts=GRID.close_time(FIRST + 2)) == {"period": 1}
    assert held("fTfTfTTT") == {}


def test_no_moments_are_nothing() -> None:
    assert Walk(GRID, Policy()).through(np.empty(0, dtype=np.int8), None, FIRST) == []
