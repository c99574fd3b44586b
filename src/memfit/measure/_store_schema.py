"""The tables of the store of runs."""

APPLICATION_ID = 0x6D656D66
"""``memf``: what tells a store from a database of another program (``file`` shows it, too)."""

VERSION = 1
"""Of the tables; an observation has a version of its own."""

_FROZEN = "SELECT RAISE(ABORT, 'runs are kept as they were')"

# figures that a list shows stand in columns of their own, so that no observation is decoded for it
SCHEMA = (
    """CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    began TEXT NOT NULL,
    machine TEXT NOT NULL,
    engine TEXT NOT NULL,
    model TEXT NOT NULL,
    format TEXT,
    shape_digest TEXT NOT NULL,
    limit_bytes INTEGER,
    pid INTEGER NOT NULL,
    started INTEGER NOT NULL,
    boot TEXT NOT NULL
)""",
    """CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL REFERENCES runs (id),
    kind TEXT NOT NULL CHECK (kind IN ('began', 'progress', 'ended')),
    at TEXT NOT NULL,
    outcome TEXT NOT NULL,
    duration_s REAL NOT NULL,
    peak_pss_bytes INTEGER NOT NULL,
    decode_tokens_per_s REAL,
    observation TEXT NOT NULL
)""",
    "CREATE INDEX runs_by_machine ON runs (machine)",
    "CREATE INDEX runs_by_engine ON runs (engine)",
    "CREATE INDEX runs_by_shape ON runs (shape_digest)",
    "CREATE INDEX runs_by_beginning ON runs (began)",
    "CREATE INDEX events_by_run ON events (run)",
    "CREATE INDEX events_by_outcome ON events (outcome)",
    "CREATE UNIQUE INDEX ended_once ON events (run) WHERE kind = 'ended'",
    *(
        f"CREATE TRIGGER {table}_{verb.lower()} BEFORE {verb} ON {table} BEGIN {_FROZEN}; END"
        for table in ("runs", "events")
        for verb in ("UPDATE", "DELETE")
    ),
    # "insert or replace" would delete without a word
    *(
        f"CREATE TRIGGER {table}_replace BEFORE INSERT ON {table}"
        f" WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id) BEGIN {_FROZEN}; END"
        for table in ("runs", "events")
    ),
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {VERSION}",
)
