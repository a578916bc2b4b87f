"""Count what the daemon does, and write it in Prometheus' text form (0.0.4).

The form is a few lines of text, so no library is needed for it. Labels hold connectors, kinds,
states and outcomes, whose number is bounded; never a company, a customer or an amount.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Labels = tuple[tuple[str, str], ...]

PHASE_BUCKETS = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0)
REQUEST_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0)
"""Upper bounds in seconds."""


def labels(**named: str) -> Labels:
    """Name one series of a figure."""
    return tuple(sorted(named.items()))


@dataclass
class _Histogram:
    bounds: Sequence[float]
    counts: list[int] = field(default_factory=list[int])
    total: float = 0.0
    n: int = 0

    def add(self, value: float) -> None:
        if not self.counts:
            self.counts = [0] * len(self.bounds)
        for place, bound in enumerate(self.bounds):
            self.counts[place] += value <= bound
        self.total += value
        self.n += 1


class Figures:
    """Hold what this process counted since it started; safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counters: dict[str, dict[Labels, int]] = defaultdict(lambda: defaultdict(int))
        self._histograms: dict[str, dict[Labels, _Histogram]] = defaultdict(dict)

    def count(self, name: str, by: int = 1, **named: str) -> None:
        """Add to a counter."""
        with self._lock:
            self._counters[name][labels(**named)] += by

    def observe(self, name: str, seconds: float, bounds: Sequence[float], **named: str) -> None:
        """Add a duration to a histogram."""
        with self._lock:
            series = self._histograms[name]
            series.setdefault(labels(**named), _Histogram(bounds)).add(seconds)

    def lines(self) -> list[str]:
        """Write every figure."""
        written: list[str] = []
        with self._lock:
            for name, series in sorted(self._counters.items()):
                written += _family(name, "counter", series.items())
            for name, held in sorted(self._histograms.items()):
                written.append(f"# TYPE {name} histogram")
                for named, one in sorted(held.items()):
                    for bound, n in zip(one.bounds, one.counts, strict=True):
                        written.append(_line(f"{name}_bucket", (*named, ("le", f"{bound:g}")), n))
                    written.append(_line(f"{name}_bucket", (*named, ("le", "+Inf")), one.n))
                    written.append(_line(f"{name}_sum", named, round(one.total, 6)))
                    written.append(_line(f"{name}_count", named, one.n))
        return written


def gauges(name: str, series: Mapping[Labels, float]) -> list[str]:
    """Write a figure that goes up and down."""
    return _family(name, "gauge", series.items())


def _family(name: str, kind: str, series: Iterable[tuple[Labels, float]]) -> list[str]:
    return [f"# TYPE {name} {kind}", *(_line(name, named, n) for named, n in sorted(series))]


def _line(name: str, named: Labels, value: float) -> str:
    inside = ",".join(f'{key}="{_escaped(said)}"' for key, said in named)
    return f"{name}{{{inside}}} {value}" if inside else f"{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


class RequestsHeard(logging.Handler):
    """Count requests by connector and kind of answer, from what the HTTP door logs of each."""

    def __init__(self, figures: Figures) -> None:
        super().__init__(logging.INFO)
        self._figures = figures

    def emit(self, record: logging.LogRecord) -> None:
        """Count one request; a record of another shape is none."""
        told: Mapping[str, Any] | None = getattr(record, "http", None)
        if told is None:
            return
        status, slug = str(told["status"]), str(told["partner"])
        answer = f"{status[0]}xx" if status[:3].isdigit() and len(status) == 3 else "error"
        self._figures.count("encaisse_http_requests_total", connector=slug, answer=answer)
        seconds = float(told["ms"]) / 1000
        self._figures.observe(
            "encaisse_http_request_seconds", seconds, REQUEST_BUCKETS, connector=slug
        )
