"""Answer whatever goes wrong in a command with one French sentence and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from encaisse_core.cli.french import FrenchContext, sentence
from encaisse_core.cli.session import Session
from encaisse_core.errors import DONE, USAGE

INTERRUPTED = 130
"""What shells say of a command somebody interrupted."""


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
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.ctx.get_help(), err=True)
            code = USAGE
        except click.ClickException as error:
            click.echo(sentence(error), err=True)
            code = USAGE
        except click.Abort:
            click.echo("Interrompu : ce qui était enregistré le reste.", err=True)
            code = INTERRUPTED
        except Exception as error:
            from encaisse_core.cli.mishap import told

            code = told(error, session)
        sys.exit(code)

    def invoke(self, ctx: click.Context) -> int:
        """Run the command; what it returns is not an exit code."""
        super().invoke(ctx)
        return DONE
