"""What control checks again: the form of a watch list without its text."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from cryptowatch.watches.form import CheckedWatchList, Watch, format_duration, parse_duration

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


def test_a_recipient_named_twice_is_notified_once() -> None:
    assert Watch.model_validate({**WATCH, "notify": ["me", "me"]}).notify == ("me",)
