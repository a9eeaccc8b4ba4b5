"""How a process signs in: what is read from where."""

from urllib.parse import parse_qs, urlsplit

import pytest

from cryptowatch.settings import SettingError, Settings
from cryptowatch.store import database
from cryptowatch.store.database import connection_arguments

HOST = "db.example.eu-central-1.rds.amazonaws.com"
SECRET = {"host": HOST, "port": 5433, "username": "owner", "password": "pw", "dbname": "d"}


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    database._rds.cache_clear()


def test_a_url_wins() -> None:
    arguments = connection_arguments(Settings({"DATABASE_URL": "postgresql://x", "DATABASE_HOST": HOST}))
    assert arguments["dsn"] == "postgresql://x"
    assert "host" not in arguments


def test_a_user_of_its_own_signs_in_by_a_token_and_needs_no_secret() -> None:
    arguments = connection_arguments(Settings({"DATABASE_HOST": HOST, "DATABASE_USER": "cryptowatch_worker"}))
    assert (arguments["host"], arguments["port"], arguments["dbname"]) == (HOST, 5432, "cryptowatch")
    assert arguments["user"] == "cryptowatch_worker"
    assert (arguments["sslmode"], arguments["sslrootcert"]) == ("verify-full", "system")
    token = urlsplit(f"https://{arguments['password']}")
    assert token.netloc == f"{HOST}:5432"
    asked = parse_qs(token.query)
    assert (asked["Action"], asked["DBUser"]) == (["connect"], ["cryptowatch_worker"])
    assert "eu-central-1/rds-db/aws4_request" in asked["X-Amz-Credential"][0]


def test_the_token_for_a_replica_names_the_replica() -> None:
    settings = Settings({"DATABASE_HOST": HOST, "DATABASE_USER": "cryptowatch_worker"})
    arguments = connection_arguments(settings, host="replica.example")
    assert arguments["host"] == "replica.example"
    assert arguments["password"].startswith("replica.example:5432/?")


def test_without_a_user_the_secrets_signs_in_by_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_secret", lambda arn: SECRET)
    arguments = connection_arguments(Settings({"DATABASE_SECRET_ARN": "arn"}))
    assert [arguments[key] for key in ("host", "port", "user", "password", "dbname")] == [
        HOST,
        5433,
        "owner",
        "pw",
        "d",
    ]
    assert arguments["sslmode"] == "verify-full"


def test_over_a_socket_nobody_needs_a_password_but_the_secrets_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_secret", lambda arn: SECRET | {"host": "/run/postgres"})
    worker = connection_arguments(Settings({"DATABASE_SECRET_ARN": "arn", "DATABASE_USER": "cryptowatch_worker"}))
    owner = connection_arguments(Settings({"DATABASE_SECRET_ARN": "arn"}))
    assert (worker["user"], "password" in worker) == ("cryptowatch_worker", False)
    assert (owner["user"], owner["password"]) == ("owner", "pw")
    assert "sslmode" not in worker


def test_an_address_without_a_user_is_refused() -> None:
    with pytest.raises(SettingError, match="DATABASE_USER"):
        connection_arguments(Settings({"DATABASE_HOST": HOST}))
