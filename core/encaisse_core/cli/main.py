"""The console script `encaisse`.

Exit codes: 0 done, 1 some items refused, 2 usage, 3 access denied, 4 partner unreachable, 5 local
store or unexpected fault (an incident file is written), 6 a check failed; 130 interrupted and 143
ended by the system, as shells have it.
"""

from __future__ import annotations

import io
import sys
from typing import NoReturn

import click

from encaisse_core.cli.catalogue import Catalogue
from encaisse_core.cli.door import Answering
from encaisse_core.cli.session import Session


class Encaisse(Answering, Catalogue):
    """Offer the commands of the catalogue, and answer for whatever they raise."""


@click.group(
    "encaisse",
    cls=Encaisse,
    help="Des factures échues à l'argent reçu : lire, rapprocher, confier, encaisser, prouver.",
    epilog="Codes de sortie : 0 fait, 1 des éléments écartés, 2 appel incorrect, 3 accès refusé, "
    "4 partenaire injoignable, 5 base locale ou panne, 6 contrôle non passé.",
    no_args_is_help=True,
    subcommand_metavar="COMMANDE [ARGUMENTS]...",
)
@click.option("--debug", is_flag=True, help="Montre la trace d'une panne.")
@click.version_option(package_name="encaisse", message="encaisse %(version)s")
@click.pass_context
def cli(context: click.Context, debug: bool) -> None:
    """Note what every command shares."""
    context.ensure_object(Session).debug = debug


def main() -> NoReturn:
    """Run the commands; the console script comes here by `start.py`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal in another encoding still answers
    cli.main(prog_name="encaisse")


if __name__ == "__main__":
    main()
