"""What the host says when it cannot go on, and the exit code that says it to a script.

Exit codes: 0 done, 1 some items refused, 2 usage, 3 access denied, 4 partner unreachable,
5 local store, 6 a check failed or did not run.
"""

from __future__ import annotations

DONE = 0
ITEMS_REFUSED = 1
USAGE = 2
ACCESS_DENIED = 3
UNREACHABLE = 4
STORE = 5
CHECK_FAILED = 6


class HostError(Exception):
    """Stop with one French sentence that says what happened and what to do."""

    exit_code = USAGE

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UsageError(HostError):
    """Say that the request itself is wrong: a name, an option, a missing choice."""


class AccessDenied(HostError):
    """Say that a partner refuses our access."""

    exit_code = ACCESS_DENIED


class Unreachable(HostError):
    """Say that a partner does not answer."""

    exit_code = UNREACHABLE


class StoreError(HostError):
    """Say that the local store cannot be used: full disk, newer version, damaged, locked."""

    exit_code = STORE


class CheckFailed(HostError):
    """Say that a verification failed, or could not run, which is never a success."""

    exit_code = CHECK_FAILED
