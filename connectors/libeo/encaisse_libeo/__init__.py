"""Libeo: invoices of both directions in, nothing back; the whole contract is assumed."""
