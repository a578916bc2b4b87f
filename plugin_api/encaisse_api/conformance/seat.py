"""Hold one connector for one call, and keep what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from encaisse_api.conformance.confined import Strayed, confined
from encaisse_api.conformance.replay import Endless, Replay
from encaisse_api.source import Page


class ExamFailed(AssertionError):
    """Say which rule a connector breaks, and how."""


class NotApplicable(Exception):
    """Say why a rule does not concern a connector."""


def fail(message: str) -> NoReturn:
    """Fail the exam with one sentence."""
    raise ExamFailed(message)


class LentSettings(Mapping[str, str]):
    """Lend settings and remember which were asked for."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = dict(settings)
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._settings[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._settings)

    def __len__(self) -> int:
        return len(self._settings)


@dataclass(slots=True)
class Outcome:
    """Keep what a call gave: a value, or what it raised."""

    value: object = None
    error: Exception | None = None

    def __str__(self) -> str:
        return f"raised {self.error!r}" if self.error else f"returned {self.value!r}"


@dataclass(slots=True)
class Pass:
    """Keep what a pull gave until it ended or raised."""

    pages: list[Page[Any]] = field(default_factory=list[Page[Any]])
    error: Exception | None = None

    @property
    def items(self) -> list[object]:
        """List the items of all pages."""
        return [item for page in self.pages for item in page.items]

    @property
    def unreadable(self) -> int:
        """Count the rows set aside."""
        return sum(len(page.unreadable) for page in self.pages)

    @property
    def ended(self) -> bool:
        """Tell whether a page claimed to complete the pass."""
        return any(page.end for page in self.pages)

    def __str__(self) -> str:
        tail = f", then raised {self.error!r}" if self.error else ""
        return (
            f"{len(self.items)} items, {self.unreadable} unreadable, "
            f"end={self.ended}, {len(self.pages)} pages{tail}"
        )


@dataclass(slots=True)
class Seat:
    """Hold one connector built from one context, and the transport that answers it."""

    kind: type
    instance: Any
    replay: Replay
    settings: LentSettings

    def run(self, method: str, arguments: Mapping[str, object]) -> Outcome | Pass:
        """Draw a pull, call anything else."""
        if method.startswith("pull_"):
            return self.pull(method, arguments)
        return self.call(method, arguments)

    def call(self, method: str, arguments: Mapping[str, object]) -> Outcome:
        """Call a method and keep its value or its error."""
        try:
            with confined(self.kind):
                return Outcome(value=getattr(self.instance, method)(**arguments))
        except (Endless, Strayed) as stopped:
            fail(f"{method} {stopped}")
        except Exception as error:
            return Outcome(error=error)

    def pull(self, method: str, arguments: Mapping[str, object]) -> Pass:
        """Draw every page of a pull."""
        result = Pass()
        most = len(self.replay.interactions) + 1000
        try:
            with confined(self.kind):
                for page in getattr(self.instance, method)(**arguments):
                    result.pages.append(page)
                    if len(result.pages) > most:
                        fail(f"{method} yields pages for ever")
        except (Endless, Strayed) as stopped:
            fail(f"{method} {stopped}")
        except ExamFailed:
            raise
        except Exception as error:
            result.error = error
        return result
