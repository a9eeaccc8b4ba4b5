"""The embedded PostgreSQL server survives a kill -9 of its runner, and never takes a stranger for itself."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import psycopg2
import pytest

from cryptowatch.local.postgres import Postgres

RUNNER = """
import os, signal, sys
from pathlib import Path
from cryptowatch.local.postgres import Postgres
Postgres(Path(sys.argv[1]))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a short path, for the server's socket, that the server's own user may reach."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with TemporaryDirectory(prefix="cw") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def server_pid(folder: Path) -> int:
    return int((folder / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def is_alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def ask(dsn: str, statement: str) -> object:
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0] if cursor.description else None  # type: ignore[index]


def test_a_stopped_server_is_gone_and_its_data_stays(folder: Path) -> None:
    first = Postgres(folder)
    assert str(ask(first.dsn, "SHOW server_version")).startswith("18")
    assert first.secret()["host"] == str((folder / "postgres").resolve())
    ask(first.dsn, "CREATE TABLE kept AS SELECT 7 AS number")
    pid = server_pid(folder)
    first.stop()
    assert not is_alive(pid)
    assert not (folder / "postgres" / "postmaster.pid").exists()

    second = Postgres(folder)
    assert ask(second.dsn, "SELECT number FROM kept") == 7
    second.stop()


def test_the_server_of_a_killed_runner_is_taken_over_and_stopped(folder: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", RUNNER, str(folder)], capture_output=True, check=False)
    assert killed.returncode == -9, killed.stderr
    pid = server_pid(folder)
    assert is_alive(pid)

    adopted = Postgres(folder)
    assert server_pid(folder) == pid
    assert ask(adopted.dsn, "SELECT 1") == 1
    adopted.stop()
    assert not is_alive(pid)


@pytest.mark.parametrize(
    "lines",
    [f"{os.getpid()}\n/elsewhere\n0\n5432\n/tmp\n\n1 1\nready\n", "999999999\n", ""],
    ids=["of a process that is no server", "of a process that is gone", "empty"],
)
def test_a_stale_pid_file_is_not_believed(folder: Path, lines: str) -> None:
    server = Postgres(folder)
    server.stop()
    (folder / "postgres" / "postmaster.pid").write_text(lines)
    again = Postgres(folder)
    assert ask(again.dsn, "SELECT 1") == 1
    again.stop()


def test_database_url_names_another_server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:secret@db.example:6543/markets")
    given = Postgres(folder)
    assert given.secret() == {
        "host": "db.example",
        "port": 6543,
        "username": "me",
        "password": "secret",
        "dbname": "markets",
    }
    given.stop()
    assert not (folder / "postgres").exists()
