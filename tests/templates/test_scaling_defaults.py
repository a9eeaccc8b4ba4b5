"""The simulation and the templates speak of the same fleet."""

import random
from dataclasses import fields

import pytest

from bench.scaling import scenarios
from bench.scaling.policy import Figures, Parameters, seconds_of_work
from cryptowatch.local.scaling import evaluate
from tests.templates.reading import ROOT, TEMPLATES, properties


def in_the_template(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


@pytest.mark.parametrize("field", [one.name for one in fields(Parameters)])
def test_what_is_simulated_is_what_is_deployed(field: str) -> None:
    assert getattr(Parameters(), field) == ROOT["Parameters"][in_the_template(field)]["Default"]


def test_the_simulated_load_is_the_templates_expression() -> None:
    policy = properties("AWS::AutoScaling::ScalingPolicy")["KeepUpPolicy"]["TargetTrackingConfiguration"]
    (written,) = [
        one["Expression"]["Fn::Sub"] for one in policy["CustomizedMetricSpecification"]["Metrics"] if one["ReturnData"]
    ]
    chance = random.Random(7)
    for _ in range(200):
        values = [chance.choice([1, 2, 3]), chance.uniform(0.05, 1), chance.uniform(1, 60)]
        given = Parameters(*values, chance.choice([1, 2]), chance.uniform(5, 60), chance.uniform(60, 900))
        figures = Figures(*(float(chance.randrange(500)) for _ in range(4)), float(chance.randrange(6)))
        expression = written
        for field in fields(Parameters):
            expression = expression.replace(f"${{{in_the_template(field.name)}}}", repr(getattr(given, field.name)))
        assert evaluate(expression, figures._asdict()) == pytest.approx(seconds_of_work(figures, given))


def test_the_floor_of_the_hour_stands_while_its_close_is_worked_off() -> None:
    actions = properties("AWS::AutoScaling::ScheduledAction")
    before, after = actions["BeforeTheHour"], actions["AfterTheHour"]
    assert before["Recurrence"] == f"{60 - scenarios.FLOOR_BEFORE_S / 60:.0f} * * * *"
    assert after["Recurrence"] == f"{scenarios.FLOOR_AFTER_S / 60:.0f} * * * *"
    assert (before["MinSize"], after["MinSize"]) == ({"Ref": "HourWorkers"}, {"Ref": "LeastWorkers"})
    resources = TEMPLATES["workers"]["Resources"]
    assert {resources[name]["Condition"] for name in actions} == {"BeforeHours"}
    assert ROOT["Parameters"]["HourWorkers"]["Default"] == 0
