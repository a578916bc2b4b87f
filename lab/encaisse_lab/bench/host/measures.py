"""Every measure of the host by name; a new one is a function of `Bench` and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from encaisse_lab.bench.host import (
    draining,
    ingesting,
    loading,
    quiet,
    reconciling,
    restarting,
    spreading,
)
from encaisse_lab.bench.host.found import Measure

MEASURES: Mapping[str, Measure] = {
    "ingest": ingesting.measure,
    "dlt": loading.measure,
    "reconcile": reconciling.measure,
    "drain": draining.measure,
    "restart": restarting.measure,
    "quiet": quiet.measure,
    "workers": spreading.measure,
}
