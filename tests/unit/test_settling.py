from hypothesis import given
from hypothesis import strategies as st

from cryptowatch.markets.settling import lost_range, settle


def test_a_stored_candle_settles_its_step() -> None:
    assert settle(10, 13, [10, 11, 12], (), 0) == 13


def test_a_step_without_a_candle_is_missing_once_a_later_one_is_stored() -> None:
    assert settle(10, 15, [10, 13], (), 0) == 14


def test_a_step_nobody_has_shown_waits_without_limit() -> None:
    assert settle(10, 500, [], (), 500) == 10


def test_a_step_the_source_has_shown_for_another_market_is_missing_a_minute_after_its_close() -> None:
    assert settle(10, 12, [], {10, 11}, grace_over_to=11) == 11
    assert settle(10, 12, [], {10, 11}, grace_over_to=12) == 12


def test_nothing_is_settled_that_no_error_free_answer_covers() -> None:
    assert settle(10, 11, [10, 12], (), 0) == 11


@given(
    st.integers(0, 50),
    st.integers(0, 100),
    st.sets(st.integers(0, 100)),
    st.sets(st.integers(0, 100)),
    st.integers(0, 100),
)
def test_the_frontier_never_goes_back_nor_beyond_what_is_covered(settled, covered, stored, shown, grace) -> None:
    after = settle(settled, covered, sorted(step for step in stored if step >= settled), shown, grace)
    assert settled <= after <= max(settled, covered)


def test_a_hole_the_source_no_longer_serves_is_lost() -> None:
    assert lost_range(settled_to=100, covered_to=100, history_start=150) == (100, 150)


def test_steps_that_were_asked_for_in_time_are_not_lost() -> None:
    assert lost_range(settled_to=100, covered_to=140, history_start=150) == (140, 150)
    assert lost_range(settled_to=100, covered_to=160, history_start=150) is None


def test_nothing_is_lost_before_the_first_candle_or_where_all_history_is_served() -> None:
    assert lost_range(None, 100, 150) is None
    assert lost_range(100, 100, None) is None
