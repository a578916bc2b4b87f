"""Write a file a person named: whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from encaisse_core.errors import StoreError, UsageError


def check(file: Path) -> None:
    """Raise `UsageError` for a path that cannot be written: no such folder, or a folder itself."""
    if not file.parent.is_dir():
        raise UsageError(
            f"Le dossier {file.parent} n'existe pas : créez-le, ou donnez un autre chemin."
        )
    if os.path.isdir(file):  # noqa: PTH112 - Path.is_dir raises for some names
        raise UsageError(f"{file} est un dossier : donnez le nom d'un fichier à écrire.")


def write(file: Path, lines: Iterable[str], *, end: str = "\n") -> None:
    """Write lines beside the file, then put them in its place. Raises `StoreError`."""
    beside = file.with_name(f".{file.name}.part")
    try:
        with beside.open("w", encoding="utf-8", newline="") as written:
            written.writelines(f"{line}{end}" for line in lines)
        beside.replace(file)
    except OSError as error:
        from encaisse_einvoicing.complaints import of_the_system

        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise StoreError(
            f"L'export {file} n'a pas pu être écrit : {of_the_system(error)}. Libérez de "
            "la place ou choisissez un autre dossier. La base n'a pas changé."
        ) from error
