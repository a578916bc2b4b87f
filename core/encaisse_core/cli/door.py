"""Answer whatever goes wrong in a command with one French sentence and an exit code."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NoReturn

import click

from encaisse_core.cli.ending import INTERRUPTED, SENTENCES, TERMINATED, Terminated
from encaisse_core.cli.session import Session
from encaisse_core.errors import DONE, STORE, USAGE
from encaisse_einvoicing.cli.french import FrenchContext, tell

NO_PLACE = (errno.ENOSPC, errno.EDQUOT)
"""What writing an answer into a file meets where the disk, or our share of it, is full."""


class Answering(click.Command):
    """Run a command to its exit code; nothing it raises reaches the person as a traceback."""

    context_class = FrenchContext

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run and exit. `obj=Session(...)` among `extra` gives another environment or clock."""
        session = extra.pop("obj", None) or Session(os.environ)
        try:
            code = super().main(args, prog_name, complete_var, False, obj=session, **extra)
            sys.stdout.flush()  # a disk full of our answer is met here, not while Python ends
        except click.ClickException as error:
            tell(error)
            code = USAGE
        except click.Abort:
            click.echo(SENTENCES[INTERRUPTED], err=True)
            code = INTERRUPTED
        except Terminated:
            click.echo(SENTENCES[TERMINATED], err=True)
            code = TERMINATED
        except Exception as error:
            code = _told(error, session)
        sys.exit(code)

    def invoke(self, ctx: click.Context) -> int:
        """Run the command; what it returns is not an exit code."""
        super().invoke(ctx)
        return DONE


def _told(error: Exception, session: Session) -> int:
    """Say what went wrong; an answer that found no place is no fault of ours."""
    if isinstance(error, OSError) and error.errno in NO_PLACE and error.filename is None:
        _leave_stdout()
        click.echo(
            "Le disque est plein : la réponse n'a pas pu être écrite en entier. Libérez de la "
            "place, puis relancez la commande.",
            err=True,
        )
        return STORE
    from encaisse_core.cli.mishap import told

    return told(error, session)


def _leave_stdout() -> None:
    """Send what is still to be written nowhere: Python would fail on it again while it ends."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
