"""Validate e-invoices: XSD, official rules and French rules, each with a verdict of its own."""

from encaisse_einvoicing.validation.check import validate_bytes, validate_paths
from encaisse_einvoicing.validation.report import Artefact, Finding, Layer, NotRun, Report
from encaisse_einvoicing.validation.saxon import Engine

__all__ = [
    "Artefact",
    "Engine",
    "Finding",
    "Layer",
    "NotRun",
    "Report",
    "validate_bytes",
    "validate_paths",
]
