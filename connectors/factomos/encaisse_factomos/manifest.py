"""Declare the Factomos connector."""

from __future__ import annotations

from datetime import timedelta

from encaisse_api import BearerAuth, Manifest, Quota, Setting, Stream, Write

HOST = "api.factomos.com"
BASE = f"https://{HOST}"

DAILY = Quota(scope="grant", limit=500, period=timedelta(days=1), calendar_day=True, reserve=60)
"""Documented for the older dialect, assumed for REST v1. The reserve is a choice: some twenty
write-backs or last looks, at two or three calls each."""

MANIFEST = Manifest(
    slug="factomos",
    name="Factomos",
    summary_fr="Lit les factures non soldées de Factomos et y inscrit les règlements reçus.",
    contract="assumed",
    pages=(
        "https://github.com/factomos/factomos-php (23b385f): host, bearer token, Accept header, "
        "paths of invoices, PDF and contacts",
        "https://github.com/thefloatingstone/factomos (736e606, API v1.29): statuses, fields, "
        "error codes, 500 calls a day",
        "assumed: query and envelope of the REST lists, payments under an invoice",
    ),
    test_hosts=(HOST,),
    live_hosts=(),  # until the vendor has confirmed what is assumed
    auth=BearerAuth(setting="token"),
    settings=(
        Setting(
            name="token",
            label_fr="Jeton d'accès Factomos",
            label_en="Factomos access token",
            secret=True,
        ),
        Setting(
            name="siren",
            label_fr="SIREN de l'entreprise qui facture dans Factomos",
            label_en="SIREN of the company that invoices with Factomos",
            kind="siren",
        ),
    ),
    quotas=(DAILY,),
    streams={"invoices": Stream(mode="snapshot", resumes=True)},
    writes={
        "record_payment": Write(guarantee="lookup"),
        "reverse_payment": Write(guarantee="lookup"),
    },
)
