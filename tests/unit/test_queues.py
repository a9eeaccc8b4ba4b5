import pytest

from cryptowatch.queues import MalformedMessageError, read_alert_ids, read_ids


def test_alert_ids_are_read_from_a_message_of_this_version() -> None:
    assert read_alert_ids('{"version": 1, "alert_ids": [3, 5]}') == [3, 5]


@pytest.mark.parametrize(
    "body",
    [
        "garbage",
        "[1]",
        "{}",
        '{"version": 2, "alert_ids": [1]}',
        '{"version": 1}',
        '{"version": 1, "alert_ids": []}',
        '{"version": 1, "alert_ids": "1"}',
        '{"version": 1, "alert_ids": [true]}',
        '{"version": 1, "alert_ids": [-1]}',
        '{"version": 1, "alert_ids": [1e400]}',
        '{"version": 1, "alert_ids": [99999999999999999999]}',
    ],
)
def test_anything_else_is_malformed(body) -> None:
    with pytest.raises(MalformedMessageError):
        read_alert_ids(body)


def test_the_field_is_named() -> None:
    with pytest.raises(MalformedMessageError, match="market_ids must be a list of ids"):
        read_ids(None, "market_ids")
