"""What control checks again: the form of a watch list without its text."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from cryptowatch.alerts.episode import Policy
from cryptowatch.watches.form import CheckedWatchList, Watch
from cryptowatch.watches.moment import parse_moment
from cryptowatch.watches.policy import policy_of
from cryptowatch.watches.values import format_duration, parse_duration

WATCH: dict[str, Any] = {
    "name": "dip",
    "markets": ["kraken:BTC/USD"],
    "interval": "1h",
    "when": "close < 1",
    "notify": ["me"],
}


def checked(watch: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    one = {"watch": {**WATCH, **(watch or {})}, "look_back": {"1h": 1}}
    return {"recipients": {"me": "a@b.org"}, "watches": [one], **changes}


@pytest.mark.parametrize("text", ["0m", "45m", "12h", "3d", "1w"])
def test_durations_are_written_as_they_were_read(text: str) -> None:
    assert format_duration(parse_duration(text)) == text


@pytest.mark.parametrize("text", ["12", "1 h", "h", "-1h", "1.5h", "100000w", "١h", None, 5])
def test_anything_else_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match="a duration is a number and one of m, h, d, w"):
        parse_duration(text)


def test_the_longest_duration_can_be_added_to_a_time() -> None:
    assert parse_duration("99999w") < timedelta(days=365 * 2000)


@pytest.mark.parametrize(
    "email", ["you", "you@", "@example.com", "a b@example.com", "a@b", "a@b..org", f"{'x' * 250}@b.org"]
)
def test_a_malformed_address_is_refused(email: str) -> None:
    with pytest.raises(ValidationError, match="is not an email address"):
        CheckedWatchList.model_validate(checked(recipients={"me": email}))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (checked({"markets": ["kraken:*/USD"]}), "has a star that was not expanded"),
        (checked({"exclude": ["kraken:ETH/USD"]}), "has an exclude that was not taken out of its markets"),
        (checked({"starts": "2026-03-02", "expires": "2026-03-01"}), "must be after 'starts'"),
        (checked({"notify": ["you"]}), "notifies 'you', who is no recipient"),
        (checked({"interval": "4h"}), "has no look-back for its own interval 4h"),
        (checked(watches=[]), "at least 1 item"),
        (checked(watches=checked()["watches"] * 2), "the name 'dip' is given to 2 watches"),
        (checked(recipients={"me": "a@b.org", "us": "A@b.org"}), "the address a@b.org is given to 2 recipients"),
        (checked({"colour": "red"}), "Extra inputs are not permitted"),
        (checked({"name": "a\nb"}), "should match pattern"),
    ],
)
def test_what_the_reader_would_not_have_sent_is_refused(data: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        CheckedWatchList.model_validate(data)


def test_a_rule_cannot_read_a_shorter_interval_than_its_own() -> None:
    data = checked()
    data["watches"][0]["look_back"]["5m"] = 3
    with pytest.raises(ValidationError, match="reads an interval shorter than its own"):
        CheckedWatchList.model_validate(data)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-01", "2026-03-01T00:00:00+00:00"),
        ("2026-03-01 18:30", "2026-03-01T18:30:00+00:00"),
        ("2026-03-01T18:30:15Z", "2026-03-01T18:30:15+00:00"),
        ("2026-03-01T18:30:15.25+02:00", "2026-03-01T16:30:15.250000+00:00"),
        ("2026-3-1 8:30:00 -5", "2026-03-01T13:30:00+00:00"),
        ("2026-03-01t18:30:00-0930", "2026-03-02T04:00:00+00:00"),
    ],
)
def test_moments_are_utc_and_written_so_that_they_can_be_read_back(text: str, moment: str) -> None:
    assert parse_moment(text).isoformat() == moment
    assert parse_moment(moment) == parse_moment(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "18:30", "2026-02-30", "2026-03-01 18", "2026-03-01 25:00", "2026-03-01 18:30 UTC"),
        *("2026-03-01+02:00", "2026-03-01T18:30+25:00", "0001-01-01T00:00+02:00", "٢٠٢٦-03-01", 20260301, None),
    ],
)
def test_anything_else_is_no_moment(text: object) -> None:
    with pytest.raises(ValueError, match="a moment is a date or a date and a time"):
        parse_moment(text)


def test_a_watch_comes_back_from_where_it_is_stored_as_it_was() -> None:
    options = {"until": "close > 2", "repeat": "90m", "once": True, "starts": "2026-03-01", "expires": "2026-04-01"}
    watch = Watch.model_validate({**WATCH, **options, "tags": ["a", "b", "a"]})
    assert watch.tags == ("a", "b")
    assert Watch.model_validate_json(watch.model_dump_json(by_alias=True)) == watch


def test_a_policy_has_every_option_that_decides_about_alerts() -> None:
    options = {"for": 2, "cooldown": "1h", "resolved": True, "repeat": "3h", "once": True}
    bounds = {"starts": "2026-03-01", "expires": "2026-04-01"}
    assert policy_of(Watch.model_validate({**WATCH, **options, **bounds})) == Policy(
        for_=2,
        cooldown=timedelta(hours=1),
        resolved=True,
        repeat=timedelta(hours=3),
        once=True,
        starts=datetime(2026, 3, 1, tzinfo=UTC),
        expires=datetime(2026, 4, 1, tzinfo=UTC),
    )
    assert policy_of(Watch.model_validate(WATCH)) == Policy()


def test_a_recipient_named_twice_is_notified_once() -> None:
    assert Watch.model_validate({**WATCH, "notify": ["me", "me"]}).notify == ("me",)
