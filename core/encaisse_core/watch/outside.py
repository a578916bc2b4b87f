"""All a daemon shows of itself as one value; by default it shows nothing and costs nothing."""

from __future__ import annotations

from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from encaisse_core.clock import SystemClock
from encaisse_core.watch.figures import PHASE_BUCKETS, Figures
from encaisse_core.watch.heartbeat import Heartbeat
from encaisse_core.watch.served import Pulse
from encaisse_core.watch.traces import Spans, no_spans


@dataclass
class Outside:
    """Hold the run under way, the figures, the pulse, and whom to tell of runs."""

    figures: Figures = field(default_factory=Figures)
    pulse: Pulse = field(default_factory=lambda: Pulse(SystemClock().monotonic))
    spans: Spans = no_spans
    heartbeat: Heartbeat | None = None
    run: str | None = None
    _span: AbstractContextManager[Any] | None = None

    def begin(self, run: str) -> None:
        """Begin a run of every company's night."""
        self.run = run
        self._span = self.spans("night", **{"encaisse.run": run})
        self._span.__enter__()
        if self.heartbeat is not None:
            self.heartbeat.tell("start")

    def end(self, outcome: str, *, told: bool) -> None:
        """End it; `told` says whether the watcher outside hears how it ended."""
        self.figures.count("encaisse_runs_total", outcome=outcome)
        if self._span is not None:
            self._span.__exit__(None, None, None)
            self._span = None
        if self.heartbeat is not None and told:
            self.heartbeat.tell("fail" if outcome == "failed" else "success")
        self.run = None

    def phase(self, name: str, outcome: str, seconds: float) -> None:
        """Count one phase of one company."""
        self.figures.count("encaisse_phases_total", phase=name, outcome=outcome)
        self.figures.observe("encaisse_phase_seconds", max(0.0, seconds), PHASE_BUCKETS, phase=name)

    def pulled(self, counts: Counter[str]) -> None:
        """Count records read, by connector."""
        for name, count in counts.items():
            tool = name.removeprefix("pulled:")
            if tool != name:
                self.figures.count("encaisse_records_read_total", count, connector=tool)
