"""Examine a connector: subclass `ConnectorContract`, name the class and its cassettes, run pytest.

    class TestAcme(ConnectorContract):
        connector = AcmeConnector
        cassettes = Path(__file__).parent / "cassettes" / "acme"

Nothing else is needed. The exam replays recordings through a transport of its own, so that it can
count requests, lose a reply after the partner committed, cut a list short or change one word of an
answer; it never opens a socket.

The cassette folder
===================

`*.yaml` are written by vcrpy (version 1: `interactions`, each a `request` with `method`, `uri`,
`body`, `headers` and a `response` with `status {code, message}`, `headers`, `body {string}`), one
file per method, with the vendor's own hosts. Requests are matched on method, scheme, host, path and
query in any order, then on the body; several answers to one request are given in recorded order.
Filter before recording: `authorization`, `cookie`, `set-cookie` and the manifest's key header must
be absent, token requests too (the kit lends a client without authentication).

`context.json`, always, even for connectors without HTTP:

    {"recorded_against": "acme simulator, assumed contract v1, seed 7",
     "now": "2026-03-02T02:00:00Z", "today": "2026-03-02",
     "account": "d-42",                     # or null
     "environment": "test",                 # where it was recorded; test when left out
     "siren": "123456782",                  # of an invented company; null when left out
     "settings": {"folder": "files"}}       # never a setting the manifest calls secret

A setting whose manifest kind is `path` is resolved against the cassette folder; this is how a
connector that reads files is examined.

=========================== ========================================= ===========================
files                       recorded call                             sidecar JSON beside it
=========================== ========================================= ===========================
`pull_invoices.yaml`        one complete pass from `since=None`, to   optional: `since`
`pull_payments.yaml`        `end=True`; at least two pages where the
`pull_statuses.yaml`        vendor pages, at least two rows on one
`pull_progress.yaml`
`pull_payments_collected.yaml`
`pull_payouts.yaml`
`read_invoices.yaml`        refs the tool knows                       optional: `refs`
`fetch_document.yaml`       one document                              optional: `ref`
`reminders.yaml`            of an invoice with at least one           `ref`
`quote.yaml`                                                          `request`
`read_mandate.yaml`         a signed mandate                          `ref`
`follow_up.yaml`            at least one draft that was posted        `remote_ids`
`attestation.yaml`          one that was issued                       `procedure_ref`
`check_debtor.yaml`         an active company                         `siren`
`financing_offers.yaml`                                               `ref`
`probe.yaml accounts.yaml`                                            none: no argument
`<write>.yaml`              the write, accepted                       `key` and the arguments
`find_<x>_absent.yaml`      its twin, before the write                uses the write's sidecar
`find_<x>_present.yaml`     its twin, after the write                 uses the write's sidecar
`webhook.json`              deliveries, no YAML                       itself
=========================== ========================================= ===========================

`<write>` and `find_<x>` are the method names of `encaisse_api.WRITES` (`record_payment.yaml`,
`find_payment_absent.yaml`, `find_payment_present.yaml`), and `record_payment_blind.yaml`, which has
no twin. The three recordings of one write use one key and the same arguments, in the order absent,
write, present; a `find_<x>_absent.json` or `find_<x>_present.json` may override them.

A sidecar `<method>.json` holds the arguments by parameter name, dumped by pydantic in JSON mode:

    {"key": "enc-0000000000000000000000000a",
     "arguments": {"payment": {"invoice_ref": "i-7", "invoice_number": "F2026-7",
                               "amount": {"amount": "120.00", "currency": "EUR"},
                               "paid_on": "2026-02-27",
                               "reference": "enc-0000000000000000000000000a",
                               "label": "Virement client"}}}

`write_sidecar(folder, method, key=None, **arguments)` writes it. `open_procedure.json` has `file`
and `mandate` (a `SignedMandate`: the kit plays the host here). Bytes of documents are written as
text, so record with documents that are ASCII, as a small PDF is.

`webhook.json` (secrets invented, body as text, signed by them at `received_at`):

    {"secrets": ["whsec_invented"],
     "deliveries": [{"headers": {"Acme-Signature": "t=1772416800,v1=9c1f…"},
                     "body": "{\\"type\\":\\"invoice.updated\\",\\"id\\":\\"i-7\\"}",
                     "received_at": "2026-03-02T02:00:00Z",
                     "hints": [{"stream": "invoices", "ref": "i-7"}]}]}

`<pull>_damaged.json` (only connectors without HTTP, whose answers the kit cannot damage itself):
`{"settings": {"folder": "damaged"}}` points at the same files with exactly one bad row among good
ones.

Files the table does not name are refused at the top of the folder, because a misspelt recording
would examine nothing; a connector's own further recordings go into a folder below.

Streams in a manifest are named after their pull: `invoices`, `payments`, `statuses`, `progress`,
`payments_collected`, `payouts`; a hint of a webhook names one of them.
"""

from encaisse_api.conformance.cassette import write_sidecar
from encaisse_api.conformance.contract import ConnectorContract
from encaisse_api.conformance.delivering import sign, signed_headers
from encaisse_api.conformance.kit import NormaliserKit
from encaisse_api.conformance.vendor import JsonVendor, Known, Term, Vendor

__all__ = [
    "ConnectorContract",
    "JsonVendor",
    "Known",
    "NormaliserKit",
    "Term",
    "Vendor",
    "sign",
    "signed_headers",
    "write_sidecar",
]
