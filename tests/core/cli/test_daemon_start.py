"""What a daemon that was killed imports before it works again, and what it leaves for later."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from alembic.script import ScriptDirectory

from encaisse_core.store import open_store
from encaisse_core.store.versions import MIGRATIONS, head

DOOR = Path(__file__).parents[3] / "sync_daemon.py"

LATER = (
    ("alembic", "where tables are made"),
    ("mako", "by alembic"),
    ("lxml", "where an XML is read"),
    ("pikepdf", "where a PDF is read"),
    ("saxonche", "where an XML is held against rules"),
    ("encaisse_einvoicing.reading", "where a document is read"),
    ("encaisse_einvoicing.writing", "where a document is written"),
    ("rich", "where tables are shown to a person"),
    ("pygments", "by rich"),
    ("jinja2", "nowhere in a night"),
    ("psycopg", "where the database is PostgreSQL"),
    ("procrastinate", "by a worker"),
    ("opentelemetry", "where traces are sent"),
    ("encaisse_core.cli.main", "by the command line"),
    ("encaisse_lab", "by who tries things out"),
    ("encaisse_simulator", "by who tries things out"),
)


def test_a_start_on_tables_as_they_should_be_imports_only_what_every_night_needs(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'encaisse.db'}"
    open_store(url).close()
    told = subprocess.run(
        [sys.executable, "-X", "importtime", str(DOOR), "--once"],
        env={
            **os.environ,
            "ENCAISSE_HOME": str(tmp_path / "home"),
            "ENCAISSE_DATABASE_URL": url,
        },
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    imported = set(re.findall(r"^import time:.*\| +([\w.]+)$", told, re.MULTILINE))
    assert {"sqlalchemy", "encaisse_core.nightly", "encaisse_gcollect.connector"} <= imported
    early = [
        f"{name}: is needed {when}"
        for name, when in LATER
        if any(each == name or each.startswith(f"{name}.") for each in imported)
    ]
    assert not early


def test_the_codes_version_is_that_of_the_last_migration() -> None:
    assert head() == ScriptDirectory(str(MIGRATIONS)).get_current_head()
