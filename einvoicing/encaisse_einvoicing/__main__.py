"""Run the commands of this package alone: `python -m encaisse_einvoicing read …`."""

import click

from encaisse_einvoicing.cli.read import read
from encaisse_einvoicing.fec.cli import fec


@click.group(help="Lit des factures électroniques, et des FEC.")
def main() -> None:
    """Hold the commands."""


main.add_command(read)
main.add_command(fec)

if __name__ == "__main__":
    main(prog_name="encaisse_einvoicing")
