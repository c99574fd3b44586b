"""Where runs are kept: one SQLite file that is only ever added to.

``$MEMFIT_STORE``, or ``$XDG_DATA_HOME/memfit/runs.sqlite``. A run is a row of ``runs``, written before it starts, and
what became of it are rows of ``events``: ``began``, any number of ``progress``, at most one ``ended``. Triggers refuse
to change or delete either, whoever asks. So a run that memfit did not survive is there too, with the last that was
written of it: it says ``running`` for as long as its process lives, and ``interrupted`` from then on.

The file keeps a rollback journal and no write-ahead log: a run writes a few rows, so that speed is nothing here, while
one file that is whole after every commit can be copied off a board, and opened on a medium that cannot be written.
Every commit reaches the medium before the run goes on (``synchronous=EXTRA``, sqlite.org/pragma.html): SD cards lose
what was not.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import msgspec

from memfit.errors import MeasureError, UsageError
from memfit.measure._living import Who, lives, this_process
from memfit.measure._store_errors import explained
from memfit.measure._store_rows import LATEST, SUMMARY, summary
from memfit.measure._store_schema import APPLICATION_ID, SCHEMA, VERSION
from memfit.measure.history import RunSummary
from memfit.measure.records import Observation

BUSY_S = 20.0
"""How long to wait for another memfit, which writes for milliseconds."""

_MOST_ROWS = 2**63 - 1  # the largest number that SQLite knows
_NO_TEXT = re.compile("[\ud800-\udfff]")  # how Python holds the bytes of a name that are no UTF-8
_INTERRUPTED = "how it ended was not written: memfit ended before it did, or the disk was full"


def store_path() -> Path:
    """``$MEMFIT_STORE``, else the file in ``$XDG_DATA_HOME`` (a relative one is ignored, as its specification asks)."""
    named = os.environ.get("MEMFIT_STORE", "")
    if named:
        return Path(named)
    root = os.environ.get("XDG_DATA_HOME", "")
    base = Path(root) if root.startswith("/") else Path(os.environ.get("HOME", "/")) / ".local" / "share"
    return base / "memfit" / "runs.sqlite"


class Store:
    """The runs in one file. Each call opens it and closes it again, so that nothing is locked while a run lasts.

    Args:
        path: the file; ``store_path()`` where None. It is made when the first run is kept.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or store_path()

    def begin(self, observation: Observation) -> int:
        """Keep a run that is about to start; returns its id.

        Raises:
            MeasureError: the file cannot be written, is damaged, or is of a newer memfit.
        """
        who = this_process()
        with self._writing() as database:
            number = _insert(
                database,
                "runs",
                began=observation.began,
                machine=observation.machine.key,
                engine=observation.engine.name,
                model=_text(observation.deployment.model),
                format=observation.deployment.format,
                shape_digest=observation.shape_digest,
                limit_bytes=observation.limit.limit_bytes,
                pid=who.pid,
                started=who.started,
                boot=who.boot,
            )
            self._add(database, number, "began", observation)
        return number

    def progress(self, number: int, observation: Observation) -> None:
        """Keep what is known of a run so far: it is what stays should memfit not survive.

        Raises:
            MeasureError: as ``begin``; or there is no such run, or it has ended.
        """
        with self._writing() as database:
            self._add(database, number, "progress", observation)

    def finish(self, number: int, observation: Observation) -> None:
        """Keep what a run showed.

        Raises:
            MeasureError: as ``begin``; or there is no such run, or it has ended already.
        """
        with self._writing() as database:
            self._add(database, number, "ended", observation)

    def read(self, number: int) -> Observation:
        """One run; the last that was written of it where it has not ended.

        Raises:
            UsageError: there is no such run.
            MeasureError: the file is damaged, or the run is of a newer memfit.
        """
        rows = self._rows(
            f"SELECT runs.pid, runs.started, runs.boot, events.observation FROM {LATEST} WHERE runs.id = ?", (number,)
        )
        if not rows:
            raise UsageError(f"no run {number} in {self.path}", hint="memfit runs lists those there are")
        pid, started, boot, observation = msgspec.convert(rows[0], tuple[int, int, str, str])
        return self._decoded(number, Who(pid, started, boot), observation)

    def all(self, shape_digest: str | None = None) -> Iterator[Observation]:
        """Every run, oldest first, each read when it is asked for.

        Args:
            shape_digest: only runs of models of this shape.

        Raises:
            MeasureError: the file is damaged, or a run is of a newer memfit.
        """
        where, given = ("", ()) if shape_digest is None else ("WHERE shape_digest = ?", (shape_digest,))
        for number in self._rows(f"SELECT id FROM runs {where} ORDER BY id", given):
            yield self.read(msgspec.convert(number[0], int))

    def summaries(self, last: int | None = None) -> tuple[RunSummary, ...]:
        """What a list shows of every run, newest first; no observation is decoded for it.

        Args:
            last: only so many.

        Raises:
            MeasureError: the file is damaged, or of a newer memfit.
        """
        rows = self._rows(
            f"SELECT {SUMMARY} FROM {LATEST} ORDER BY runs.id DESC LIMIT ?",
            (-1 if last is None else min(last, _MOST_ROWS),),
        )
        with explained(self.path):
            return tuple(summary(row) for row in rows)

    def count(self) -> int:
        """How many runs there are.

        Raises:
            MeasureError: the file is damaged, or of a newer memfit.
        """
        rows = self._rows("SELECT count(*) FROM runs", ())
        return msgspec.convert(rows[0][0], int) if rows else 0

    def _decoded(self, number: int, who: Who, text: str) -> Observation:
        newer = f"run {number} in {self.path} was kept by a newer memfit"
        try:
            found = msgspec.json.decode(text, type=Observation)
        except msgspec.MsgspecError as error:
            version = _version_of(text)
            if version is not None and version > Observation.__struct_defaults__[-1]:
                raise MeasureError(newer, hint="update memfit to see it") from error
            raise MeasureError(
                f"run {number} in {self.path} cannot be read: {error}",
                hint="memfit runs export the others; the file itself is left as it is",
            ) from error
        if found.schema_version > Observation.__struct_defaults__[-1]:
            raise MeasureError(newer, hint="update memfit to see it")
        if found.outcome == "running" and not lives(who):
            return msgspec.structs.replace(found, id=number, outcome="interrupted", reason=_INTERRUPTED)
        return msgspec.structs.replace(found, id=number)

    def _rows(self, text: str, given: tuple[object, ...]) -> list[tuple[object, ...]]:
        """All rows at once: nothing stays locked while somebody looks at them. Reading makes no store."""
        with explained(self.path):
            if not self.path.exists():
                return []
            with closing(self._open(write=False)) as database:
                if _is_empty(database):
                    return []
                self._check(database)
                return database.execute(text, given).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is in the file when the ``with`` ends, or nothing is."""
        with explained(self.path):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with closing(self._open(write=True)) as database:
                database.execute("PRAGMA synchronous = EXTRA")
                database.execute("BEGIN IMMEDIATE")
                try:
                    if _is_empty(database):
                        for statement in SCHEMA:
                            database.execute(statement)
                    self._check(database)
                    yield database
                except BaseException:
                    database.rollback()
                    raise
                database.execute("COMMIT")

    def _open(self, *, write: bool) -> sqlite3.Connection:
        # as a URI, so that reading makes no file. It opens to write where that can be, to undo what a memfit that was
        # killed left half done
        mode = "rwc" if write else "rw"
        where = f"{self.path.absolute().as_uri()}?mode={mode}"
        return sqlite3.connect(where, uri=True, timeout=BUSY_S, isolation_level=None)

    def _check(self, database: sqlite3.Connection) -> None:
        (application,) = database.execute("PRAGMA application_id").fetchone()
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if application != APPLICATION_ID:
            raise MeasureError(f"{self.path}: a database of another program", hint="let MEMFIT_STORE name another file")
        if version > VERSION:
            raise MeasureError(
                f"{self.path}: kept by a newer memfit (store version {version}, this one knows {VERSION})",
                hint="update memfit, or let MEMFIT_STORE name another file",
            )

    def _add(self, database: sqlite3.Connection, number: int, kind: str, observation: Observation) -> None:
        known = database.execute("SELECT 1 FROM runs WHERE id = ?", (number,)).fetchone()
        if known is None:
            raise MeasureError(f"no run {number} in {self.path}", hint="it began in another store")
        if database.execute("SELECT 1 FROM events WHERE run = ? AND kind = 'ended'", (number,)).fetchone():
            raise MeasureError(f"run {number} in {self.path} has ended already", hint="what was kept is never changed")
        kept = msgspec.structs.replace(observation, id=number)
        _insert(
            database,
            "events",
            run=number,
            kind=kind,
            at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            outcome=kept.outcome,
            duration_s=kept.duration_s,
            peak_pss_bytes=kept.peak_pss_bytes,
            decode_tokens_per_s=kept.decode_tokens_per_s,
            observation=_encoded(kept),
        )


def _insert(database: sqlite3.Connection, table: str, **columns: object) -> int:
    names, places = ", ".join(columns), ", ".join(f":{name}" for name in columns)
    number = database.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", columns).lastrowid
    assert number is not None
    return number


def _encoded(observation: Observation) -> str:
    try:
        return msgspec.json.encode(observation).decode()
    except UnicodeEncodeError:
        return msgspec.json.encode(_texts(msgspec.to_builtins(observation))).decode()


def _texts(part: Any) -> Any:
    """The same with every text as one that can be written."""
    if isinstance(part, dict):
        return {name: _texts(inner) for name, inner in part.items()}
    if isinstance(part, (list, tuple)):
        return [_texts(inner) for inner in part]
    return _text(part) if isinstance(part, str) else part


def _text(text: str) -> str:
    """A file's name may hold bytes that are no text."""
    return _NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", text)


def _is_empty(database: sqlite3.Connection) -> bool:
    (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return not tables


def _version_of(text: str) -> int | None:
    class Header(msgspec.Struct):
        schema_version: int

    try:
        return msgspec.json.decode(text, type=Header).schema_version
    except msgspec.MsgspecError:
        return None
