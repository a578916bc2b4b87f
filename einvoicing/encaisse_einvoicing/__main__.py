"""Run the commands of this package alone: `python -m encaisse_einvoicing read …`."""

import click

from encaisse_einvoicing.cdar.cli import cdar
from encaisse_einvoicing.cli.convert import convert_command
from encaisse_einvoicing.cli.read import read
from encaisse_einvoicing.cli.validate import validate
from encaisse_einvoicing.fec.cli import fec


@click.group(
    help="Lit, valide et convertit des factures ; lit des messages de cycle de vie et des FEC."
)
def main() -> None:
    """Hold the commands."""


main.add_command(read)
main.add_command(convert_command)
main.add_command(fec)
main.add_command(validate)
main.add_command(cdar)

if __name__ == "__main__":
    main(prog_name="encaisse_einvoicing")
