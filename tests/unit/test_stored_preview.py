"""A preview over what a running system has stored: asked of it, waited for, given up."""

from typing import Any

import pytest

from cryptowatch.cli import stored_preview as module
from cryptowatch.cli.control import ControlError
from cryptowatch.cli.stored_preview import estimates, stored_preview
from cryptowatch.pipeline.preview_request import NOTHING_STORED


class Control:
    """Answers with each of these outcomes in turn, the last one for ever."""

    def __init__(self, *outcomes: dict[str, Any]) -> None:
        self.outcomes = [{"done": 0, "result": None, "error": None, **one} for one in outcomes]
        self.asked: list[dict[str, Any]] = []

    def __call__(self, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(request)
        if request["action"] == "preview":
            return {"id": 7}
        assert request == {"action": "preview_outcome", "preview_id": 7}
        return self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0)


def summary(name: str, **changes: Any) -> dict[str, Any]:
    days = [{"day": "2026-03-01"}, {"day": "2026-03-02"}]
    return {"watch": name, "emails": 5, "alerts": 9, "moments": 100, "markets": 2, "days": days, **changes}


def test_it_is_asked_once_and_waited_for() -> None:
    control, told = Control({}, {"done": 0.4}, {"done": 1, "result": {"watches": []}}), []
    assert stored_preview({"watches": []}, control, only="dip", since="30d", progress=told.append) == {"watches": []}
    asked = {"watch_list": {"watches": []}, "only": "dip", "since": "30d"}
    assert control.asked[0] == {"action": "preview", "preview": asked}
    assert told == [0, 0.4]


def test_what_went_wrong_is_one_line() -> None:
    with pytest.raises(ControlError, match="no candles"):
        stored_preview({}, Control({"error": "no candles"}))


def test_without_a_worker_it_is_given_up() -> None:
    with pytest.raises(ControlError, match="no worker went on with it for 0 s: see `cryptowatch status`"):
        stored_preview({}, Control({}), patience_s=0)


def test_an_estimate_is_emails_by_days_of_the_new_watches_only() -> None:
    control = Control({"result": {"watches": [summary("new"), summary("old"), summary("young", moments=0)]}})
    assert estimates({}, ["new", "young"], control) == [
        {"watch": "new", "emails_a_day": 2.5, "days": 2, "alerts": 9},
        {"watch": "young", "emails_a_day": None, "days": 2, "alerts": 9},
    ]


def test_where_nothing_is_new_nothing_is_asked_and_where_nothing_is_stored_it_is_said() -> None:
    control = Control({"error": NOTHING_STORED})
    assert estimates({}, [], control) == []
    assert control.asked == []
    assert estimates({}, ["new"], control)[0]["emails_a_day"] is None
