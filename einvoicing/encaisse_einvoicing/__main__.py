"""Run the commands of this package alone: `python -m encaisse_einvoicing read …`."""

import click

from encaisse_einvoicing.cli import read


@click.group(help="Lit des factures électroniques.")
def main() -> None:
    """Hold the commands."""


main.add_command(read)

if __name__ == "__main__":
    main(prog_name="encaisse_einvoicing")
