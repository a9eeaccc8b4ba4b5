"""The only reader of the environment.

Each value is read when it is asked for, so a process needs just the variables it uses. A missing or malformed
one raises `SettingError`: one line that names the variable.
"""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptowatch.clock import Clock, RecordClock, WallClock
from cryptowatch.markets.interval import INTERVALS


class SettingError(ValueError):
    """An environment variable is missing or malformed."""


class Settings:
    """What a process was told by its environment.

    Args:
        environment: the variables; the process's own by default.

    Example:
        >>> Settings({"GATHER_SECONDS": "0.5"}).gather_seconds
        0.5
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment

    @property
    def database_url(self) -> str | None:
        """`DATABASE_URL`: a PostgreSQL connection string; wins over the secret. For tests and one's own server."""
        return self._optional("DATABASE_URL")

    @property
    def database_secret_arn(self) -> str:
        """`DATABASE_SECRET_ARN`: the Secrets Manager secret with host, port, username, password and dbname."""
        return self._required("DATABASE_SECRET_ARN")

    @property
    def database_user(self) -> str | None:
        """`DATABASE_USER`: who signs in, by a token of RDS; without it the secret's user does, by its password."""
        return self._optional("DATABASE_USER")

    @property
    def database_host(self) -> str | None:
        """`DATABASE_HOST`: the database's address, for one who may not read the secret."""
        return self._optional("DATABASE_HOST")

    @property
    def database_port(self) -> int:
        """`DATABASE_PORT`: beside `DATABASE_HOST`; 5432 by default."""
        return int(self._number("DATABASE_PORT", 5432))

    @property
    def database_name(self) -> str:
        """`DATABASE_NAME`: beside `DATABASE_HOST`; `cryptowatch` by default."""
        return self._optional("DATABASE_NAME") or "cryptowatch"

    @property
    def database_ca_file(self) -> str:
        """`DATABASE_CA_FILE`: the certificates that may sign the database's; `system` by default."""
        return self._optional("DATABASE_CA_FILE") or "system"

    @property
    def analysis_queue_url(self) -> str:
        """`ANALYSIS_QUEUE_URL`: the Celery broker queue for live analysis."""
        return self._url("ANALYSIS_QUEUE_URL")

    @property
    def studies_queue_url(self) -> str:
        """`STUDIES_QUEUE_URL`: the Celery broker queue for bulk work."""
        return self._url("STUDIES_QUEUE_URL")

    @property
    def alerts_queue_url(self) -> str:
        """`ALERTS_QUEUE_URL`: the queue of alert ids to be emailed."""
        return self._url("ALERTS_QUEUE_URL")

    @property
    def alert_topic_arn(self) -> str:
        """`ALERT_TOPIC_ARN`: the SNS topic whose subscriptions are the recipients."""
        return self._required("ALERT_TOPIC_ARN")

    @property
    def ingest_function(self) -> str:
        """`INGEST_FUNCTION`: the name or ARN of the ingest function, for dispatch to invoke."""
        return self._required("INGEST_FUNCTION")

    @property
    def metrics(self) -> frozenset[str] | None:
        """`METRICS`: the market-wide figures to keep, like `fear_greed total_cap`; `none`; all there are by default."""
        text = self._optional("METRICS")
        return None if text is None else frozenset(text.replace(",", " ").split()) - {"none"}

    @property
    def analysis_limit_seconds(self) -> int:
        """`ANALYSIS_LIMIT_SECONDS`: seconds an analysis may run before it is killed; 30 by default."""
        return int(self._number("ANALYSIS_LIMIT_SECONDS", 30))

    @property
    def studies_limit_seconds(self) -> int:
        """`STUDIES_LIMIT_SECONDS`: seconds a bulk task may run before it is killed; 300 by default."""
        return int(self._number("STUDIES_LIMIT_SECONDS", 300))

    @property
    def worker_group(self) -> str:
        """`WORKER_GROUP`: the Auto Scaling group this instance is in."""
        return self._required("WORKER_GROUP")

    @property
    def workers_command(self) -> str:
        """`WORKERS_COMMAND`: stops this instance's workers, given one of `stop`, `return`, `kill`, `running`."""
        return self._required("WORKERS_COMMAND")

    @property
    def health_folder(self) -> str | None:
        """`HEALTH_FOLDER`: where workers leave signs of life; without it they leave none."""
        return self._optional("HEALTH_FOLDER")

    @property
    def hung_seconds(self) -> float:
        """`HUNG_SECONDS`: without a sign of life for so long, the instance is replaced; 180 by default."""
        return self._number("HUNG_SECONDS", 180.0)

    @property
    def metadata_url(self) -> str:
        """`METADATA_URL`: the instance metadata service; EC2's by default."""
        return self._optional("METADATA_URL") or "http://169.254.169.254"

    @property
    def drain_poll_seconds(self) -> float:
        """`DRAIN_POLL_SECONDS`: between two looks whether the instance is to go; 2 by default."""
        return self._number("DRAIN_POLL_SECONDS", 2.0)

    @property
    def gather_seconds(self) -> float:
        """`GATHER_SECONDS`: how long notify waits for the rest of a storm before it writes; 2 by default."""
        return self._number("GATHER_SECONDS", 2.0)

    @property
    def stack_name(self) -> str:
        """`STACK_NAME`: the stack this process belongs to, which its metrics carry; `local` by default."""
        return self._optional("STACK_NAME") or "local"

    @property
    def exchange_url(self) -> str | None:
        """`CRYPTOWATCH_EXCHANGE_URL`: base URL of a simulated exchange, in place of the real ones."""
        return self._optional("CRYPTOWATCH_EXCHANGE_URL")

    @property
    def database_replica_url(self) -> str | None:
        """`DATABASE_REPLICA_URL`: a connection string of a read replica, beside `DATABASE_URL`."""
        return self._optional("DATABASE_REPLICA_URL")

    @property
    def database_replica_host(self) -> str | None:
        """`DATABASE_REPLICA_HOST`: a read replica's host; everything else is as on the primary."""
        return self._optional("DATABASE_REPLICA_HOST")

    @property
    def candle_retention(self) -> dict[int, timedelta]:
        """`CANDLE_RETENTION`: days that candles are kept, by interval, `1m=90 5m=365`; the others for good.

        Gives how long, by the interval's seconds.
        """
        kept = {}
        for part in (self._optional("CANDLE_RETENTION") or "").split():
            name, _, days = part.partition("=")
            if name not in INTERVALS or not days.isdecimal() or not 0 < int(days) < 100_000:
                raise SettingError(
                    f"the environment variable CANDLE_RETENTION must read like 1m=90 5m=365, in days; not {part!r}"
                )
            kept[INTERVALS[name].seconds] = timedelta(days=int(days))
        return kept

    @property
    def clock(self) -> Clock:
        """`CRYPTOWATCH_CLOCK`: the file of a record's clock; wall time when there is none."""
        path = self._optional("CRYPTOWATCH_CLOCK")
        return RecordClock(Path(path)) if path else WallClock()

    @property
    def clock_speed(self) -> float:
        """How many times as fast as wall time the clock runs; 1 in the cloud."""
        clock = self.clock
        return clock.anchor().speed if isinstance(clock, RecordClock) else 1.0

    def _optional(self, name: str) -> str | None:
        return self._environment.get(name, "").strip() or None

    def _required(self, name: str) -> str:
        value = self._optional(name)
        if value is None:
            raise SettingError(f"the environment variable {name} is missing")
        return value

    def _url(self, name: str) -> str:
        value = self._required(name)
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise SettingError(f"the environment variable {name} must be a URL, not {value!r}")
        return value

    def _number(self, name: str, default: float) -> float:
        value = self._optional(name)
        if value is None:
            return default
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if not 0 <= number < 1e9:
            raise SettingError(f"the environment variable {name} must be a positive number, not {value!r}")
        return number
