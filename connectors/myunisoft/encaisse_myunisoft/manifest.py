"""Declare the MyUnisoft connector."""

from __future__ import annotations

from datetime import timedelta

from encaisse_api.auth import HeadersAuth, SecretHeader
from encaisse_api.manifest import (
    Manifest,
    Quota,
    Setting,
    Stream,
    WebhookScheme,
    Write,
)

API_HOST = "api.myunisoft.fr"
FILES_HOST = "app.prodcomptable.myunisoft.fr"
"""Where attachments stand; it is told neither secret."""

BASE = f"https://{API_HOST}/api/v1"
DOCS = "https://partners.api.myunisoft.fr"

MANIFEST = Manifest(
    slug="myunisoft",
    name="MyUnisoft",
    summary_fr=(
        "Lit les lignes clients (411) non soldées d'un dossier MyUnisoft et y passe les "
        "règlements reçus."
    ),
    contract="documented",
    pages=(
        f"{DOCS}/documentation.html",
        f"{DOCS}/endpoints/keyinfo.html",
        f"{DOCS}/accounting/society.html",
        f"{DOCS}/accounting/firm/accounting_parameters.html",
        f"{DOCS}/MAD/introduction.html",
        f"{DOCS}/MAD/api/movements.html",
        f"{DOCS}/MAD/api/entry.html",
        f"{DOCS}/MAD/api/account.html",
        f"{DOCS}/MAD/specs/v1.0.0/exercice.html",
        f"{DOCS}/MAD/specs/v1.0.0/entries.html",
        f"{DOCS}/MAD/specs/v1.0.0/attachment.html",
        f"{DOCS}/accounting/folder/import/json.html",
        f"{DOCS}/accounting/folder/account/lettering.html",
        f"{DOCS}/accounting/folder/account/next_lettering_value.html",
        f"{DOCS}/erreurs.html",
        f"{DOCS}/ratelimit.html",
        f"{DOCS}/webhooks.html",
    ),
    test_hosts=(API_HOST, FILES_HOST),
    live_hosts=(API_HOST, FILES_HOST),
    auth=HeadersAuth(
        headers=(
            SecretHeader(header="Authorization", setting="token", prefix="Bearer "),
            SecretHeader(header="X-Third-Party-Secret", setting="partner_secret"),
        ),
        hosts=(API_HOST,),
    ),
    settings=(
        Setting(
            name="token",
            label_fr="Clé d'API du dossier ou du cabinet (Paramètres > Connecteurs)",
            label_en="API key of the dossier or of the firm (Paramètres > Connecteurs)",
            secret=True,
        ),
        Setting(
            name="partner_secret",
            label_fr="Secret du partenaire, remis par MyUnisoft",
            label_en="Partner secret, given by MyUnisoft",
            secret=True,
        ),
        Setting(
            name="customer_accounts",
            label_fr="Racines des comptes clients (411 par défaut)",
            label_en="Roots of the customer accounts (411 by default)",
            required=False,
            pattern=r"[0-9A-Za-z]+([ ,;]+[0-9A-Za-z]+)*",
        ),
        Setting(
            name="mode",
            label_fr="Écritures en attente de validation (pending, par défaut) ou passées (direct)",
            label_en="Entries waiting for validation (pending, the default) or posted (direct)",
            required=False,
            pattern=r"pending|direct",
        ),
        Setting(
            name="scheme",
            label_fr="OD 467/411 (od, par défaut) ou banque 512/411 (bank)",
            label_en="Sundry 467/411 (od, the default) or bank 512/411 (bank)",
            required=False,
            pattern=r"od|bank",
        ),
        Setting(
            name="journal",
            label_fr="Code du journal où passer les règlements",
            label_en="Code of the journal that takes the payments",
            required=False,
            pattern=r"[0-9A-Za-z]{1,10}",
        ),
        Setting(
            name="counterpart",
            label_fr="Compte débité : 467… des fonds encaissés, ou 512… de la banque",
            label_en="Account debited: 467… for funds collected, or 512… of the bank",
            required=False,
            pattern=r"(467|512)[0-9A-Za-z]*",
        ),
        Setting(
            name="control",
            label_fr="Contrôle par la balance : oui (par défaut) ou non",
            label_en="Check against the balance: oui (yes, the default) or non (no)",
            required=False,
            pattern=r"oui|non|yes|no|1|0",
        ),
    ),
    quotas=(Quota(scope="grant", limit=20, period=timedelta(seconds=10)),),
    streams={"invoices": Stream(mode="snapshot")},
    writes={
        "record_payment": Write(guarantee="lookup"),
        "reverse_payment": Write(guarantee="lookup"),
        "letter": Write(guarantee="lookup"),
    },
    webhook=WebhookScheme(
        header="signature",
        signed="{body}{t}",
        timestamp_header="date",
        timestamp_unit="ms",
        setting="partner_secret",
    ),
)
