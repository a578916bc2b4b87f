"""Spans of a night for OpenTelemetry, where `encaisse[otel]` is installed and they are asked for.

night > company > phase > HTTP request. Attributes are ids of ours, connectors, counts: never a
name or an amount. Asked for by `--trace`; where they go is said by the usual `OTEL_EXPORTER_*`
variables.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from encaisse_core.errors import UsageError

Spans = Callable[..., AbstractContextManager[Any]]
"""`spans(name, **attributes)` is a block's span."""


def no_spans(name: str, **attributes: str | int) -> AbstractContextManager[None]:
    """Trace nothing."""
    return nullcontext()


def spans(provider: Any = None) -> tuple[Spans, logging.Handler]:
    """Give what opens spans, and what makes one of each request the HTTP door logs.

    `provider` is another tracer provider than the process's. Raises `UsageError` where the extra is
    not installed.
    """
    trace = _part("opentelemetry.trace")
    tracer: Any = trace.get_tracer("encaisse", tracer_provider=provider)

    @contextmanager
    def span(name: str, **attributes: str | int) -> Generator[Any]:
        # what an exception says may quote a customer: only its kind is kept
        with tracer.start_as_current_span(
            name,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as opened:
            try:
                yield opened
            except BaseException as error:
                opened.set_attribute("error.type", type(error).__name__)
                opened.set_status(trace.StatusCode.ERROR)
                raise

    return span, _Requests(tracer)


def export_by_environment() -> None:
    """Send this process's spans where `OTEL_EXPORTER_OTLP_ENDPOINT` says, in batches.

    Raises `UsageError` where the extra is not installed.
    """
    trace, sdk = _part("opentelemetry.trace"), _part("opentelemetry.sdk.trace")
    export, resources = (
        _part("opentelemetry.sdk.trace.export"),
        _part("opentelemetry.sdk.resources"),
    )
    otlp = _part("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    resource = resources.Resource.create({"service.name": "encaisse"})
    provider = sdk.TracerProvider(resource=resource)
    provider.add_span_processor(export.BatchSpanProcessor(otlp.OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def _part(name: str) -> Any:
    """Import a part of OpenTelemetry, or say that the extra is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UsageError(
            "Les traces demandent OpenTelemetry : installez encaisse[otel], ou retirez --trace."
        ) from error


class _Requests(logging.Handler):
    """Make a span of each request that was made, under the span of the phase that made it."""

    def __init__(self, tracer: Any) -> None:
        super().__init__(logging.INFO)
        self._tracer = tracer

    def emit(self, record: logging.LogRecord) -> None:
        """Make one span, as long as the request took."""
        told: Mapping[str, Any] | None = getattr(record, "http", None)
        if told is None:
            return
        end = int(record.created * 1e9)
        made = self._tracer.start_span(
            f"HTTP {told['method']}",
            start_time=end - int(told["ms"]) * 1_000_000,
            attributes={
                "http.request.method": str(told["method"]),
                "encaisse.connector": str(told["partner"]),
                "encaisse.answer": str(told["status"]),
            },
        )
        made.end(end_time=end)
