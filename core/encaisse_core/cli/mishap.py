"""Turn any fault into one sentence and an exit code; keep an unexpected one for whoever mends it.

An incident file holds where the fault happened, never a message of the exception: messages quote
what was read, and what was read may be a debtor's name or a secret. `--debug` shows messages to
the person at the screen, whose facts they are, with the secrets of this call masked.
"""

from __future__ import annotations

import platform
import re
import traceback
from importlib.metadata import version
from pathlib import Path

import click

from encaisse_core.cli.session import Session
from encaisse_core.clock import SystemClock, SystemIds
from encaisse_core.errors import (
    ACCESS_DENIED,
    ITEMS_REFUSED,
    STORE,
    UNREACHABLE,
    USAGE,
    HostError,
)

MASK = "•••"
LEAST = 6
"""Length from which a secret is masked even inside a word: shorter ones are parts of any."""


def told(error: Exception, session: Session) -> int:
    """Say what happened on stderr and give the exit code."""
    known = expected(error)
    if known is not None:
        sentence, code = known
        click.echo(masked(sentence, session), err=True)
    else:
        code = STORE
        where = write_incident(error, session)
        kept = f"Trace sans données personnelles : {where}." if where else "La trace est perdue."
        click.echo(
            f"Panne imprévue d'encaisse ({type(error).__name__}) : la commande s'est arrêtée, ce "
            f"qui était enregistré le reste. {kept} Relancez avec --debug pour la voir.",
            err=True,
        )
    if session.debug:
        click.echo(masked("".join(traceback.format_exception(error)), session), err=True)
    return code


def expected(error: Exception) -> tuple[str, int] | None:
    """Give the sentence and the exit code of a fault we foresee; None for any other."""
    from encaisse_api import ActionNeeded, Denied, PartnerError, Rejected
    from encaisse_core.loader import UnknownConnector

    if isinstance(error, HostError):
        return error.message, error.exit_code
    if isinstance(error, UnknownConnector):
        return error.sentence, USAGE
    if isinstance(error, ActionNeeded):
        return f"{error.message} Rendez-vous sur {error.url}.", ACCESS_DENIED
    if isinstance(error, Denied):
        return error.message, ACCESS_DENIED
    if isinstance(error, Rejected):
        return error.message, ITEMS_REFUSED
    if isinstance(error, PartnerError):
        return error.message, UNREACHABLE
    if isinstance(error, OSError) and error.filename is not None:
        from encaisse_einvoicing.complaints import of_the_system  # with all that reads documents

        return f"Le fichier {error.filename} : {of_the_system(error)}.", STORE
    return None


def masked(text: str, session: Session) -> str:
    """Take the secrets of this call out of a text; a short one only where it stands by itself."""
    for secret in sorted(filter(None, session.secrets), key=len, reverse=True):
        if len(secret) >= LEAST:
            text = text.replace(secret, MASK)
        else:
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", MASK, text)
    return text


def write_incident(error: Exception, session: Session) -> Path | None:
    """Write where the fault happened into the data folder; None where that fails as well."""
    from encaisse_core.app import folder_of

    clock = session.clock or SystemClock()
    path = (session.folder or folder_of(session.environ)) / "incidents"
    path = path / f"{SystemIds(clock).new('inc')}.txt"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(f"{clock.now():%Y-%m-%dT%H:%M:%SZ}\n{scrubbed(error)}", encoding="utf-8")
    except OSError:
        return None
    return path


def scrubbed(error: BaseException) -> str:
    """Write the types of a chain of exceptions and where each was raised, without messages."""
    lines = [f"encaisse {version('encaisse')}, Python {platform.python_version()}"]
    link: BaseException | None = error
    seen: set[int] = set()
    while link is not None and id(link) not in seen:  # a chain may lead back to itself
        seen.add(id(link))
        lines.append(f"{type(link).__module__}.{type(link).__qualname__}")
        lines += [
            f"  {Path(frame.filename).name}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(link.__traceback__)
        ]
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return "\n".join(lines) + "\n"
