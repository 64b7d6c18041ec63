"""An append-only table in any database that SQLAlchemy knows. Every row holds the SHA-256 of the row before.

What this proves: that no row was edited, taken out of the middle or put elsewhere. Rows that were cut off the end are
seen only against a head that was kept elsewhere (`Ledger.head`), and whoever may write can write a new chain:
what stands against that are signed verdicts, each of which repeats the attempts before it.

Two writers never get the same place: SQLite locks the file before the last row is read, PostgreSQL has an advisory
lock, and everywhere number and previous hash are unique, so that whoever comes second tries again. Those two
besides refuse to change or delete rows, by triggers.
"""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event as hooks

from afagent.errors import GateError, UsageError
from afagent.quoting import printable

BUSY_SECONDS = 60
TRIES = 40
FIRST = "0" * 64
"""What the first row holds as the hash of the row before."""
_LOCK = int.from_bytes(hashlib.sha256(b"afagent ledger").digest()[:8], "big", signed=True)
_TABLE = sa.Table(
    "afagent_ledger",
    sa.MetaData(),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("previous", sa.String(64), nullable=False, unique=True),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
)
_REFUSE_SQLITE = """
CREATE TRIGGER IF NOT EXISTS afagent_ledger_{when} BEFORE {what} ON afagent_ledger {condition}
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
"""
_TRIGGERS = {
    "sqlite": (
        _REFUSE_SQLITE.format(when="update", what="UPDATE", condition=""),
        _REFUSE_SQLITE.format(when="delete", what="DELETE", condition=""),
        # INSERT OR REPLACE deletes without asking the trigger above
        _REFUSE_SQLITE.format(
            when="insert",
            what="INSERT",
            condition="WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM afagent_ledger)",
        ),
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION afagent_ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$",
        "CREATE OR REPLACE TRIGGER afagent_ledger_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON afagent_ledger "
        "FOR EACH STATEMENT EXECUTE FUNCTION afagent_ledger_refuse()",
    ),
}


@dataclass(frozen=True)
class Row:
    """One row as it stands in the table."""

    number: int
    content: str
    previous: str
    digest: str


def digest(number: int, content: str, previous: str) -> str:
    """The hash that a row must have."""
    return hashlib.sha256(f"{previous}\n{number}\n{content}".encode()).hexdigest()


def canonical(content: dict[str, Any]) -> str:
    """The one way to write a row's content: ASCII, so that no database can choke on a character or change it."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)


def problems(rows: list[Row], head: str | None = None) -> list[str]:
    """What is wrong with a chain, a sentence each.

    Args:
        rows: by number.
        head: the digest of a row that must be there, such as the last one that an auditor saw.
    """
    found, previous, expected = [], FIRST, 1
    for row in rows:
        if row.number != expected:
            found.append(f"row {expected} is missing: row {row.number} stands in its place")
        elif row.previous != previous:
            found.append(f"row {row.number} does not follow the row before it: one of them was replaced or moved")
        if row.digest != digest(row.number, row.content, row.previous):
            found.append(f"row {row.number} was edited: it has not the hash that it was written with")
        previous, expected = row.digest, row.number + 1
    if head is not None and all(row.digest != head for row in rows):
        found.append(f"no row has the digest {printable(head)}: rows were cut off the end, or written anew")
    return found


class Chain:
    """The table at one address. Nothing is made before the first row is written, so reading leaves no trace."""

    def __init__(self, address: str) -> None:
        """Takes an SQLAlchemy URL; a path without `://` is an SQLite file.

        Raises:
            UsageError: the address is none, or the database's driver is not installed.
        """
        self._url = _url(address)
        self.shown = self._url.database if self._is_sqlite else self._url.render_as_string(hide_password=True)
        options: dict[str, Any] = {"connect_args": {"timeout": BUSY_SECONDS}} if self._is_sqlite else {}
        try:
            self._engine = sa.create_engine(self._url, poolclass=sa.NullPool, **options)
        except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ModuleNotFoundError) as error:
            raise UsageError(f"the ledger {self.shown} needs a driver that is not there: {_reason(error)}") from error
        if self._is_sqlite:
            hooks.listen(self._engine, "connect", _leave_transactions_to_us)
            hooks.listen(self._engine, "begin", _lock_file)
        self._writing = self._engine.execution_options(writes=True)

    @property
    def _is_sqlite(self) -> bool:
        return self._url.get_backend_name() == "sqlite"

    def append(self, content: Callable[[int], dict[str, Any]]) -> Row:
        """Write one row at the end.

        Args:
            content: gives what it says, from the row's number; called again when another writer was quicker.

        Raises:
            GateError: the database cannot be reached or does not let itself be written.
        """
        for left in reversed(range(TRIES)):
            try:
                with self._writing.begin() as connection:
                    return self._write(connection, content)
            except (sa.exc.IntegrityError, sa.exc.OperationalError) as error:
                if not left or not _is_passing(error):
                    raise GateError(f"cannot write to the ledger {self.shown}: {_reason(error)}") from error
                time.sleep(random.uniform(0.01, 0.1))
            except sa.exc.SQLAlchemyError as error:
                raise GateError(f"cannot write to the ledger {self.shown}: {_reason(error)}") from error
        raise AssertionError("the last try returns or raises")

    def rows(self) -> list[Row]:
        """All rows, by number; none where there is no such database or table yet.

        Raises:
            GateError: the database cannot be reached.
        """
        if self._is_absent():
            return []
        try:
            with self._engine.connect() as connection:
                if not sa.inspect(connection).has_table(_TABLE.name):
                    return []
                found = connection.execute(sa.select(_TABLE).order_by(_TABLE.c.number))
                return [Row(*one) for one in found]
        except sa.exc.SQLAlchemyError as error:
            raise GateError(f"cannot read the ledger {self.shown}: {_reason(error)}") from error

    def _is_absent(self) -> bool:
        """Whether it is a file that is not there: to look into it would make it (`file:` is a URL of SQLite's own)."""
        path = str(self._url.database)
        return self._is_sqlite and not path.startswith("file:") and not Path(path).exists()

    def _write(self, connection: sa.Connection, content: Callable[[int], dict[str, Any]]) -> Row:
        if self._url.get_backend_name() == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        if not sa.inspect(connection).has_table(_TABLE.name):
            _TABLE.create(connection)
            for trigger in _TRIGGERS.get(self._url.get_backend_name(), ()):
                connection.exec_driver_sql(trigger)
        last = connection.execute(sa.select(_TABLE).order_by(_TABLE.c.number.desc()).limit(1)).first()
        number, previous = (1, FIRST) if last is None else (last.number + 1, last.digest)
        said = canonical(content(number))
        row = Row(number, said, previous, digest(number, said, previous))
        connection.execute(_TABLE.insert().values(number=number, content=said, previous=previous, digest=row.digest))
        return row


def _url(address: str) -> sa.URL:
    if "://" not in address:
        return sa.URL.create("sqlite", database=address)
    try:
        url = sa.make_url(address)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise UsageError("the ledger's address is no URL that SQLAlchemy knows, nor a path") from error
    if url.get_backend_name() == "sqlite" and (url.database or ":memory:") == ":memory:":
        raise UsageError("a ledger in memory would forget every attempt; name a file, such as sqlite:///ledger.sqlite")
    return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url


def _leave_transactions_to_us(connection: Any, _record: object) -> None:
    """Python's sqlite3 would begin transactions by itself, and too late: after the last row was read."""
    connection.isolation_level = None


def _lock_file(connection: sa.Connection) -> None:
    """Only for writing: who reads needs no lock, and may have no right to write."""
    if connection.get_execution_options().get("writes"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _is_passing(error: sa.exc.DBAPIError) -> bool:
    """Whether another writer was in the way: a place that is taken, or a serialisation failure."""
    state = str(getattr(error.orig, "sqlstate", "") or "")
    return isinstance(error, sa.exc.IntegrityError) or state.startswith("40") or "locked" in str(error.orig)


def _reason(error: Exception) -> str:
    """The database's own sentence, without the statement and what was put into it."""
    lines = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
    return printable(lines[0])
