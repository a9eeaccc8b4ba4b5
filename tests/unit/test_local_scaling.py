"""The local fleet reads the group's own scaling policy."""

from pathlib import Path

import pytest
from cfnlint.decode.cfn_yaml import load

from cryptowatch.local.scaling import MetricMathError, evaluate, metrics_of, wanted

WORKERS = load(str(Path(__file__).resolve().parents[2] / "cloudformation" / "workers.yaml"))["Resources"]
NUMBERS = {"Live": {"Mean": 0.2, "Goal": 10, "Slots": 2}, "Bulk": {"Mean": 20, "Goal": 600, "Slots": 1}}


def the_templates_expression() -> str:
    tracking = WORKERS["KeepUpPolicy"]["Properties"]["TargetTrackingConfiguration"]
    metrics = tracking["CustomizedMetricSpecification"]["Metrics"]
    (load_,) = [one for one in metrics if one["ReturnData"]]
    text = str(load_["Expression"]["Fn::Sub"])
    for kind, numbers in NUMBERS.items():
        for name, number in numbers.items():
            text = text.replace(f"${{{kind}{name}{'' if name == 'Slots' else 'Seconds'}}}", str(number))
    return text


@pytest.mark.parametrize(
    ("lv", "li", "bv", "bi", "n", "load"),
    [
        (0, 0, 0, 0, 1, 0.0),
        (100, 0, 0, 0, 1, 1.0),
        (90, 10, 0, 0, 1, 1.0),
        (100, None, 0, None, 2, 0.5),
        (0, 0, 30, 0, 1, 1.0),
        (100, 0, 30, 0, 1, 2.0),
        (100, 0, 0, 0, 0, 1.0),
        (None, 0, 0, 0, 1, None),
        (100, 0, None, 0, 1, None),
    ],
)
def test_the_load_is_the_seconds_of_waiting_work_of_both_queues_for_each_instance(lv, li, bv, bi, n, load) -> None:
    metrics = {"lv": lv, "li": li, "bv": bv, "bi": bi, "n": n}
    found = evaluate(the_templates_expression(), metrics)
    assert found == (None if load is None else pytest.approx(load))


def test_a_fleet_of_none_starts_by_its_own_alarm() -> None:
    metrics = WORKERS["StartAlarm"]["Properties"]["Metrics"]
    (start,) = [one["Expression"] for one in metrics if one["ReturnData"]]
    assert evaluate(start, {"desired": None, "lv": 1, "bv": 0}) == 1
    assert evaluate(start, {"desired": 0, "lv": 0, "bv": 2}) == 2
    assert evaluate(start, {"desired": 1, "lv": 50, "bv": 50}) == 0


@pytest.mark.parametrize(
    "expression", ["__import__('os')", "lv.real", "[1]", "lv +", "unknown", "MAX(lv)", "lv and 1", "'a'"]
)
def test_anything_but_metric_math_is_refused(expression: str) -> None:
    with pytest.raises(MetricMathError):
        evaluate(expression, {"lv": 1.0})


def test_what_is_divided_by_nothing_is_missing() -> None:
    assert evaluate("lv/bv", {"lv": 1.0, "bv": 0.0}) is None


@pytest.mark.parametrize(
    ("load", "in_service", "instances"),
    [
        (1.0, 2, None),
        (0.95, 2, None),
        (1.01, 2, 3),
        (3.0, 2, 6),
        (0.5, 4, 2),
        (0.0, 3, 0),
        (None, 3, None),
        (5.0, 0, None),
    ],
)
def test_target_tracking_keeps_the_load_at_its_target(load, in_service, instances) -> None:
    assert wanted(load, 1.0, in_service) == instances


def test_the_metrics_and_their_queues_are_read_from_the_policy() -> None:
    stat = {"Metric": {"MetricName": "M", "Dimensions": [{"Name": "QueueName", "Value": "q"}]}, "Stat": "Maximum"}
    metrics = [{"Id": "lv", "MetricStat": stat, "ReturnData": False}, {"Id": "load", "Expression": "lv*2"}]
    tracking = {"TargetValue": 1, "CustomizedMetricSpecification": {"Metrics": metrics}}
    assert metrics_of({"TargetTrackingConfiguration": tracking}) == ("lv*2", 1.0, {"lv": ("M", "q")})
