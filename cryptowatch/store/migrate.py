"""Bring the schema up to date: numbered SQL files, forward only, under an advisory lock, one transaction each."""

from importlib import resources

from cryptowatch.store.database import MIGRATION_LOCK, Connection, transaction


def migrations() -> list[tuple[int, str, str]]:
    """Number, name and SQL of each migration, in order."""
    folder = resources.files("cryptowatch.store") / "migrations"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return [(int(file.name[:4]), file.name, file.read_text()) for file in files]


def migrate(connection: Connection) -> list[str]:
    """Apply the migrations that are not applied yet; returns their names. Safe to run twice, and by two at once."""
    applied = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", (MIGRATION_LOCK,))
        connection.commit()
    try:
        schema_version(connection)
        with transaction(connection) as cursor:
            cursor.execute("SELECT version FROM schema_version")
            present = {version for (version,) in cursor.fetchall()}
        for number, name, sql in migrations():
            if number not in present:
                with transaction(connection) as cursor:
                    cursor.execute(sql)
                    cursor.execute("INSERT INTO schema_version (version, name) VALUES (%s, %s)", (number, name))
                applied.append(name)
    finally:
        with transaction(connection) as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", (MIGRATION_LOCK,))
    return applied


def schema_version(connection: Connection) -> int:
    """The number of the newest migration applied; 0 for an empty database, whose version table this makes."""
    with transaction(connection) as cursor:
        cursor.execute(
            "CREATE TABLE IF NOT EXISTS schema_version ("
            " version integer PRIMARY KEY, name text NOT NULL,"
            " applied_at timestamptz NOT NULL DEFAULT clock_timestamp())"
        )
        cursor.execute("SELECT coalesce(max(version), 0) FROM schema_version")
        return int(cursor.fetchone()[0])  # type: ignore[index]
