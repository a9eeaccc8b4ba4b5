"""A preview over the candles that a running system has stored: asked of it, and waited for."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from cryptowatch.cli.control import ControlError
from cryptowatch.pipeline.preview_request import NOTHING_STORED

#: Seconds between two looks at how far it is, and without any progress until it is given up.
LOOK_EVERY_S = 0.5
PATIENCE_S = 300.0
#: What the estimate of `apply` looks back on, and seconds that it waits for a worker to go on with it.
ESTIMATE_SINCE = "30d"
ESTIMATE_PATIENCE_S = 30.0

#: Asks the control function.
Ask = Callable[[dict[str, Any]], dict[str, Any]]


def stored_preview(
    watch_list: Mapping[str, Any],
    ask: Ask,
    *,
    only: str | None = None,
    since: str | None = None,
    progress: Callable[[float], object] = lambda done: None,
    patience_s: float = PATIENCE_S,
) -> dict[str, Any]:
    """What the list would have told, as `cryptowatch.studies.report.report` gives it.

    Args:
        watch_list: a checked list, JSON-ready.
        progress: told the share that is done.
        patience_s: seconds without progress until it is given up.

    Raises:
        ControlError: the system refuses, nothing is stored yet, or nobody works on it.
    """
    asked = {"watch_list": watch_list, "only": only, "since": since}
    id_ = ask({"action": "preview", "preview": asked})["id"]
    done, deadline = -1.0, 0.0
    while True:
        found = ask({"action": "preview_outcome", "preview_id": id_})
        if found["error"]:
            raise ControlError(found["error"])
        if found["result"]:
            return dict(found["result"])
        if found["done"] > done:
            done, deadline = found["done"], time.monotonic() + patience_s
            progress(done)
        if time.monotonic() > deadline:
            raise ControlError(f"no worker went on with it for {patience_s:.0f} s: see `cryptowatch status`")
        time.sleep(LOOK_EVERY_S)


def estimates(
    watch_list: Mapping[str, Any], names: list[str], ask: Ask, patience_s: float = ESTIMATE_PATIENCE_S
) -> list[dict[str, Any]]:
    """How many emails a day each of these watches would have sent: `watch`, `emails_a_day`, `days`, `alerts`.

    `emails_a_day` is None where nothing is stored of its markets yet.

    Raises:
        ControlError: the system refuses, or nobody works on it.
    """
    if not names:
        return []
    try:
        told = stored_preview(watch_list, ask, since=ESTIMATE_SINCE, patience_s=patience_s)
    except ControlError as error:
        if NOTHING_STORED not in str(error):
            raise
        return [{"watch": name, "emails_a_day": None, "days": 0, "alerts": 0} for name in names]
    return [_estimate(one) for one in told["watches"] if one["watch"] in names]


def _estimate(one: Mapping[str, Any]) -> dict[str, Any]:
    days = len(one["days"])
    emails = one["emails"] / days if one["moments"] else None
    return {"watch": one["watch"], "emails_a_day": emails, "days": days, "alerts": one["alerts"]}
