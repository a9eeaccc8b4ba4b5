"""When an alert is due to a recipient."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from cryptowatch.alerts.due import Digest, Due, QuietHours, due

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = QuietHours(time(22), time(7), BERLIN)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_without_digest_and_quiet_hours_an_alert_is_due_at_its_candles_close() -> None:
    assert due(at("2026-03-02T12:00"), "info", None, []) == Due(at("2026-03-02T12:00"))


def test_quiet_hours_are_wall_time_of_their_zone_and_go_over_midnight() -> None:
    assert NIGHT.end_of(at("2026-03-02T20:59")) is None
    assert NIGHT.end_of(at("2026-03-02T21:00")) == at("2026-03-03T06:00")
    assert NIGHT.end_of(at("2026-03-03T05:59")) == at("2026-03-03T06:00")
    assert NIGHT.end_of(at("2026-03-03T06:00")) is None
    assert NIGHT.end_of(at("2026-07-02T20:00")) == at("2026-07-03T05:00"), "in summer an hour earlier by UTC"


def test_the_night_the_clocks_change_ends_at_seven_too() -> None:
    assert NIGHT.end_of(at("2026-03-28T22:00")) == at("2026-03-29T05:00")
    assert NIGHT.end_of(at("2026-10-24T22:00")) == at("2026-10-25T06:00")


def test_an_end_that_the_clocks_skip_is_not_before_what_it_ends() -> None:
    skipped = QuietHours(time(22), time(2, 30), BERLIN)  # on 2026-03-29 the hour after 01:00 UTC is 03:00
    assert skipped.end_of(at("2026-03-29T00:45")) == at("2026-03-29T01:30")
    assert due(at("2026-03-29T00:45"), "info", None, [skipped]).at == at("2026-03-29T01:30")


def test_high_severity_passes_quiet_hours_that_let_it() -> None:
    night = at("2026-03-02T23:00")
    assert due(night, "high", None, [NIGHT]).at == night
    assert due(night, "warning", None, [NIGHT]).at == at("2026-03-03T06:00")
    strict = QuietHours(time(22), time(7), BERLIN, high_passes=False)
    assert due(night, "high", None, [strict]).at == at("2026-03-03T06:00")


def test_what_falls_into_hours_that_drop_is_dropped_even_if_a_digest_comes_after_them() -> None:
    dropping = QuietHours(time(22), time(7), BERLIN, then="drop")
    daily = Digest("day", time(8), BERLIN)
    assert due(at("2026-03-02T23:00"), "info", daily, [dropping]).dropped
    assert not due(at("2026-03-02T12:00"), "info", daily, [dropping]).dropped


def test_an_hourly_digest_is_told_at_the_full_hour_and_a_daily_one_at_its_time() -> None:
    assert Digest("hour").next(at("2026-03-02T12:01")) == at("2026-03-02T13:00")
    assert Digest("hour").next(at("2026-03-02T13:00")) == at("2026-03-02T13:00")
    assert Digest("day", time(8), BERLIN).next(at("2026-03-02T07:00")) == at("2026-03-02T07:00")
    assert Digest("day", time(8), BERLIN).next(at("2026-03-02T07:01")) == at("2026-03-03T07:00")
    assert Digest("day").next(at("2026-03-02T07:01")) == at("2026-03-03T00:00")


def test_a_digest_that_falls_into_quiet_hours_is_told_when_they_are_over() -> None:
    midnight = Digest("day", time(0), BERLIN)
    assert due(at("2026-03-02T12:00"), "info", midnight, [NIGHT]).at == at("2026-03-03T06:01")


def test_a_digest_waits_a_minute_for_the_candles_that_close_at_its_time() -> None:
    closes = [at(text) for text in ("2026-03-02T12:01", "2026-03-02T13:00", "2026-03-02T13:01")]
    told = [due(close, "info", Digest("hour"), []).at for close in closes]
    assert told == [at("2026-03-02T13:01"), at("2026-03-02T13:01"), at("2026-03-02T14:01")]


def test_quiet_hours_of_watch_and_recipient_add_up() -> None:
    morning = QuietHours(time(7), time(9), BERLIN)
    assert due(at("2026-03-02T23:00"), "info", None, [NIGHT, morning]).at == at("2026-03-03T08:00")


def test_two_that_leave_no_hour_of_the_day_do_not_wait_for_ever() -> None:
    day = QuietHours(time(7), time(22), BERLIN)
    assert due(at("2026-03-02T23:00"), "info", None, [NIGHT, day]).at < at("2026-03-06T00:00")


moments = st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))
zones = st.sampled_from([ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata")])
clocks = st.builds(time, st.integers(0, 23), st.integers(0, 59))


@given(moments, clocks, clocks, zones)
def test_quiet_hours_end_after_what_they_hold_within_a_day_and_are_then_over(moment, begins, ends, zone) -> None:
    if begins == ends:
        return
    end = QuietHours(begins, ends, zone).end_of(moment)
    if end is not None:
        assert moment < end <= moment + timedelta(hours=25)
        assert (
            end.astimezone(zone).time() == ends
            or end.astimezone(zone).utcoffset() != moment.astimezone(zone).utcoffset()
        )


@given(moments, clocks, zones, st.sampled_from(["hour", "day"]))
def test_a_digest_is_the_first_of_its_times_that_is_not_past(moment, clock, zone, every) -> None:
    digest = Digest(every, clock, zone)
    told = digest.next(moment)
    assert moment <= told <= moment + timedelta(hours=1 if every == "hour" else 25)
    assert digest.next(told) == told, "told at its own time: nothing waits for another"
