"""The crypto fear-and-greed index of alternative.me: one number a day, from 0 (extreme fear) to 100 (extreme greed)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptowatch.sources.json_answer import ask_json
from cryptowatch.sources.metrics import Figure, MetricSource


def _read(base_url: str | None) -> Sequence[Figure]:
    root = f"{base_url}/alternative" if base_url else "https://api.alternative.me"
    answer = ask_json("alternative.me", f"{root}/fng/?limit=30")
    return [
        Figure("fear_greed", datetime.fromtimestamp(int(row["timestamp"]), UTC), float(row["value"]))
        for row in answer["data"]
    ]


SOURCE = MetricSource(
    name="alternative.me",
    metrics={"fear_greed": "fear-and-greed index, 0 to 100, one a day"},
    every=timedelta(minutes=30),
    read=_read,
)
