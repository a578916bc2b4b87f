"""What an author is told of the host's use of a role is true."""

from __future__ import annotations

import re
from pathlib import Path

import encaisse_core
from encaisse_api import ROLES, UNCALLED

HOST = Path(encaisse_core.__file__).parent


def test_the_host_calls_every_role_but_those_it_says() -> None:
    phases = (path for path in HOST.rglob("*.py") if "cli" not in path.parts)  # it names them all
    sources = "\n".join(path.read_text("utf-8") for path in phases)
    named = set(re.findall(r"\w+", sources))
    uncalled = {role.__name__ for role in ROLES if role.__name__ not in named}
    assert uncalled == UNCALLED, "move a role in or out of `UNCALLED` in encaisse_api/roles.py"
