"""Whoever is woken by an alarm finds its name in the operating guide."""

import re
from pathlib import Path

from tests.templates.reading import ROOT, properties

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "operating.md").read_text()


def test_each_alarm_has_its_heading_and_no_heading_is_of_an_alarm_that_is_gone() -> None:
    _, _, alarms = GUIDE.partition("\n## Alarms\n")
    assert sorted(re.findall(r"^### (\w+)$", alarms, re.MULTILINE)) == sorted(properties("AWS::CloudWatch::Alarm"))


def test_parameters_and_alarms_that_it_names_are_there() -> None:
    names = set(re.findall(r"`([A-Z][a-z]+[A-Z]\w+)(?:=[^`]*)?`", GUIDE)) - {"DispatchSchedule", "SweepSchedule"}
    assert names - set(ROOT["Parameters"]) == set()
    assert set(re.findall(r"\*([A-Z][a-z]+[A-Z]\w+)\*", GUIDE)) <= set(properties("AWS::CloudWatch::Alarm"))
    assert {"DispatchSchedule", "SweepSchedule"} <= set(properties("AWS::Scheduler::Schedule"))
