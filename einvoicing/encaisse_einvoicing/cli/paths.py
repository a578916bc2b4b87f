"""Take paths from the command line as they are written."""

from pathlib import Path
from typing import Final

import click

PATH: Final = click.Path(path_type=Path, readable=False)
"""Left unchecked by Click: a file that cannot be read costs itself, not the whole call."""
