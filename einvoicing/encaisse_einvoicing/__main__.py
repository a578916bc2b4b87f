"""Run the commands of this package alone: `python -m encaisse_einvoicing read …`."""

import sys
from collections.abc import Sequence
from typing import Final, NoReturn

import click

from encaisse_einvoicing.cdar.cli import cdar
from encaisse_einvoicing.cli.convert import convert_command
from encaisse_einvoicing.cli.french import FrenchGroup, in_french, tell
from encaisse_einvoicing.cli.read import read
from encaisse_einvoicing.cli.validate import validate
from encaisse_einvoicing.fec.cli import fec

USAGE: Final = 2
INTERRUPTED: Final = 130


@click.group(
    cls=FrenchGroup,
    help="Lit, valide et convertit des factures ; lit des messages de cycle de vie et des FEC.",
)
def main() -> None:
    """Hold the commands."""


for _command in (read, convert_command, fec, validate, cdar):
    main.add_command(_command)
in_french(main)


def run(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command to its exit code; a wrong call is answered in French."""
    try:
        code = main.main(arguments, prog_name="encaisse_einvoicing", standalone_mode=False)
    except click.ClickException as error:
        tell(error)
        code = USAGE
    except click.Abort:
        click.echo("Interrompu.", err=True)
        code = INTERRUPTED
    sys.exit(code)


if __name__ == "__main__":
    run()
