"""Declare the connector of the older dialect.

A connector of its own, and not a setting of the other: hosts, access, roles and what protects a
write differ, and all of these are declared for a class.
"""

from __future__ import annotations

from encaisse_api import Manifest, SealedFormAuth, Setting, Stream, Write
from encaisse_factomos.manifest import DAILY

HOST = "app.factomos.com"
ADDRESS = f"https://{HOST}/api/api.php"

MANIFEST = Manifest(
    slug="factomos_legacy",
    name="Factomos (ancienne interface)",
    summary_fr="Lit les factures non soldées et les relances envoyées par l'interface de 2015.",
    contract="assumed",
    pages=(
        "https://github.com/thefloatingstone/factomos (736e606, API v1.29): address, cipher, "
        "actions, fields, statuses, error codes, 500 calls a day",
        "assumed: that the interface is still served, the answer of createPayment, the form of "
        "payment_date, the zone of email_date, an answer in base64 without percent signs",
    ),
    test_hosts=(HOST,),
    live_hosts=(),  # until the vendor has confirmed what is assumed
    auth=SealedFormAuth(sealed_field="crequest", cipher="rijndael128-cfb8-md5"),
    settings=(
        Setting(
            name="token",
            label_fr="Clé d'API Factomos (api_key)",
            label_en="Factomos API key (api_key)",
            secret=True,
        ),
        Setting(
            name="secret",
            label_fr="Clé secrète Factomos (api_secret)",
            label_en="Factomos secret key (api_secret)",
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
    writes={"record_payment_blind": Write(guarantee="none")},
)
