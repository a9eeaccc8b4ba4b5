import pytest

from cryptowatch.clock import Anchor, RecordClock, WallClock
from cryptowatch.settings import SettingError, Settings


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(SettingError, match="the environment variable ALERT_TOPIC_ARN is missing"):
        Settings({}).alert_topic_arn


@pytest.mark.parametrize("value", ["queue", "ftp://x", "http://"])
def test_a_malformed_url_is_named(value) -> None:
    with pytest.raises(SettingError, match="ANALYSIS_QUEUE_URL must be a URL"):
        Settings({"ANALYSIS_QUEUE_URL": value}).analysis_queue_url


@pytest.mark.parametrize("value", ["soon", "-1", "nan", "1e99"])
def test_a_malformed_number_is_named(value) -> None:
    with pytest.raises(SettingError, match="GATHER_SECONDS must be a positive number"):
        Settings({"GATHER_SECONDS": value}).gather_seconds


def test_blank_means_not_given() -> None:
    assert Settings({"GATHER_SECONDS": " "}).gather_seconds == 2


def test_without_a_record_the_clock_is_the_wall_s() -> None:
    assert isinstance(Settings({}).clock, WallClock)
    assert Settings({}).clock_speed == 1


def test_a_record_s_clock_runs_at_its_speed_up_to_its_limit(tmp_path) -> None:
    clock = RecordClock(tmp_path / "clock.json")
    clock.write(Anchor(wall=100.0, record=1000.0, speed=60.0, limit=1100.0))
    assert clock.anchor().at(101.0) == 1060.0
    assert clock.anchor().at(110.0) == 1100.0
    assert Settings({"CRYPTOWATCH_CLOCK": str(clock.path)}).clock_speed == 60
