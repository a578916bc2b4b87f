"""The door of the command line: one sentence and one exit code for whatever goes wrong.

Exit codes: 0 done, 1 some items refused, 2 usage, 3 access denied, 4 partner unreachable, 5 local
store or unexpected fault (an incident file is written), 6 a check failed; 130 interrupted, as
shells have it.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from encaisse_core.cli.catalogue import Catalogue
from encaisse_core.cli.french import sentence
from encaisse_core.cli.session import Session
from encaisse_core.errors import DONE, USAGE

INTERRUPTED = 130


class Encaisse(Catalogue):
    """Run one command and turn every fault into a French sentence and an exit code."""

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
            click.echo(
                "Interrompu : ce qui était fait reste fait, rien d'autre n'a été changé.", err=True
            )
            code = INTERRUPTED
        except Exception as error:
            from encaisse_core.cli.mishap import told

            code = told(error, session)
        sys.exit(code)

    def invoke(self, ctx: click.Context) -> int:
        """Run the command; what it returns is not an exit code."""
        super().invoke(ctx)
        return DONE


@click.group(
    "encaisse",
    cls=Encaisse,
    help="Des factures échues à l'argent reçu : lire, rapprocher, confier, encaisser, prouver.",
    epilog="Codes de sortie : 0 fait, 1 des éléments écartés, 2 appel incorrect, 3 accès refusé, "
    "4 partenaire injoignable, 5 base locale ou panne, 6 contrôle non passé.",
    no_args_is_help=True,
)
@click.option("--debug", is_flag=True, help="Montre la trace d'une panne.")
@click.version_option(package_name="encaisse", message="encaisse %(version)s")
@click.pass_context
def cli(context: click.Context, debug: bool) -> None:
    """Note what every command shares."""
    context.ensure_object(Session).debug = debug


def main() -> NoReturn:
    """Run the console script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal in another encoding still answers
    cli.main(prog_name="encaisse")


if __name__ == "__main__":
    main()
