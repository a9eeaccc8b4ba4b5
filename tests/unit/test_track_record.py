"""Is a rule any good: planted effects are found, and what is chance is called chance."""

import numpy as np
import pytest

from cryptowatch.studies.outcomes import apart, outcomes
from cryptowatch.studies.track_record import FEWEST_EVENTS, Past, in_words, track_record


def past(seed: int, *, effect: float = 0.0, length: int = 4000, every: int = 50, first: int = 0, drift: float = 0.0):
    """A random walk, with signals after which the price drifts by `effect` a candle, in standard deviations."""
    chance = np.random.default_rng(seed)
    signals = chance.random(length) < 1 / every
    moves = chance.normal(drift, 1.0, length)
    for at in np.flatnonzero(signals):
        moves[at + 1 : at + 5] += effect
    close = 100 * np.exp(np.cumsum(moves) * 0.01)
    open_ = np.concatenate([[100.0], close[:-1]])
    low = np.minimum(open_, close)
    steps = np.arange(first, first + length, dtype=np.int64)
    return Past(steps, open_, low, close, signals, np.ones(length, dtype=np.bool_))


def test_a_signal_is_entered_at_the_next_candles_open_and_left_at_a_later_close() -> None:
    open_, low = np.array([1.0, 10.0, 11.0, 12.0]), np.array([1.0, 9.0, 8.0, 12.0])
    close = np.array([1.0, 11.0, 12.0, 13.0])
    found = outcomes(open_, low, close, 2)
    assert found.gain[:2] == pytest.approx([12 / 10 - 1, 13 / 11 - 1]) and np.isnan(found.gain[2:]).all()
    assert found.worst[:2] == pytest.approx([8 / 10 - 1, 8 / 11 - 1]) and np.isnan(found.worst[2:]).all()


def test_an_unknown_candle_on_the_way_makes_an_outcome_unknown() -> None:
    close = np.array([1.0, 2.0, np.nan, 4.0, 5.0])
    found = outcomes(close, close, close, 2)
    assert np.isnan(found.worst[0]) and np.isnan(found.gain[0]) and np.isnan(found.gain[1])


def test_signals_that_overlap_are_one_event() -> None:
    signals = np.array([1, 1, 0, 0, 1, 0, 1, 1], dtype=np.bool_)
    assert np.flatnonzero(apart(signals, 4)).tolist() == [0, 4]
    assert np.flatnonzero(apart(signals, 1)).tolist() == [0, 1, 4, 6, 7]


def test_a_planted_effect_is_found_and_an_opposite_one_too() -> None:
    assert in_words(track_record([past(1, effect=0.8)], 4), "4h").endswith(": more often than chance")
    assert in_words(track_record([past(1, effect=-0.8)], 4), "4h").endswith(": less often than chance")


def test_without_an_effect_it_is_chance_also_where_everything_rises() -> None:
    risen = track_record([past(2, drift=0.3)], 4)
    assert risen.any.rose > 0.65, "a market that rises all the time makes no rule a good one"
    assert in_words(risen, "4h").endswith(": within chance")


def test_the_interval_covers_the_true_difference_about_as_often_as_it_says() -> None:
    records = [track_record([past(seed, length=3000, every=40)], 4) for seed in range(200)]
    covered = sum(record.low <= 0 <= record.high for record in records)
    assert 0.90 <= covered / len(records) <= 0.99


def test_markets_that_move_together_do_not_make_it_surer() -> None:
    one = past(3)
    alone, together = track_record([one], 4), track_record([one] * 20, 4)
    assert together.signals.count == 20 * alone.signals.count
    assert together.high - together.low == pytest.approx(alone.high - alone.low)


def test_few_signals_say_nothing_and_none_says_so() -> None:
    few = past(4, every=400)
    assert 0 < track_record([few], 4).signals.count < FEWEST_EVENTS
    assert in_words(track_record([few], 4), "4h") == f"{track_record([few], 4).signals.count} signals: too few to say"
    nothing = Past(few.steps, few.open, few.low, few.close, np.zeros(4000, dtype=np.bool_), few.known)
    assert in_words(track_record([nothing], 4), "4h") == "no signal yet"


def test_many_signals_within_a_few_days_say_nothing_either() -> None:
    burst = past(5, every=10**9)
    burst.signals[100:300:5] = True
    assert track_record([burst], 4).low is None


def test_candles_on_which_the_rule_was_unknown_are_no_candles_to_compare_with() -> None:
    some = past(6)
    some.known[:1000] = False
    assert track_record([some], 4).any.count == 3000 - 4


def test_the_same_past_gives_the_same_record() -> None:
    assert track_record([past(7)], 12) == track_record([past(7)], 12)
