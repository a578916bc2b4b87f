"""The first lines of `encaisse` and of the daemon: whoever stops them meanwhile gets a sentence.

Importing the command line takes a good part of a second, in which people press Ctrl-C. So nothing
is imported here but inside the guard, not even `typing`.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn


def main() -> NoReturn:
    """Run the console script."""
    guarded(_encaisse)


def watch() -> NoReturn:
    """Run the daemon."""
    guarded(_daemon)


def guarded(program: Callable[[], object]) -> NoReturn:
    """Run a program that exits by itself; what stops it from outside gives its code, no trace."""
    code = 0
    try:
        from encaisse_core.cli import ending

        ending.listen()
        try:
            program()
        except ending.Terminated:
            code = ending.TERMINATED
    except KeyboardInterrupt:
        from encaisse_core.cli import ending

        code = ending.INTERRUPTED
    if code:
        print(ending.SENTENCES[code], file=sys.stderr)
    sys.exit(code)


def _encaisse() -> None:
    from encaisse_core.cli.main import main

    seldom()
    main()


def started() -> None:
    """Look for rubbish from now on, but no more through what starting left, which stays."""
    import gc

    seldom()
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def seldom() -> None:
    """Look for rubbish once in 50,000 new objects, not in 700.

    What a page of invoices or a statement is made of goes by itself when nobody holds it any more;
    looking for the little that does not cost a fifteenth of reading a page.
    """
    import gc

    gc.set_threshold(50_000, 10, 10)


def _daemon() -> None:
    """Start with the least: whoever is killed at work is waited for by stops that were not sent.

    Until `started`, nothing is looked through for rubbish: modules and classes are none, and that
    cost a tenth. httpx is told that it has no command line, as where click and rich are missing:
    importing both would cost another.
    """
    import gc

    gc.disable()
    sys.modules["httpx._main"] = None  # type: ignore[assignment]
    from encaisse_core.cli.watching import daemon

    daemon.main(prog_name="sync_daemon.py")
