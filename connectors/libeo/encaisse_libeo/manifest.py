"""What the connector declares: everything in it is assumed, nothing is a page of the vendor.

Libeo publishes no description of an interface, so there is no live host here: a grant of
environment `live` cannot be made before the vendor has confirmed or corrected this contract. Its
help pages give the ten statuses and say that a partner is linked by a company's API key; addresses,
fields and words are ours. Nothing is written there: the assumed contract has no call for it.
"""

from __future__ import annotations

from datetime import timedelta

from encaisse_api.auth import HeaderAuth
from encaisse_api.manifest import Manifest, Quota, Setting, Stream, WebhookScheme

HOST = "api.libeo.example"
BASE = f"https://{HOST}/v1"

MANIFEST = Manifest(
    slug="libeo",
    name="Libeo",
    summary_fr=(
        "Lit les factures émises et reçues dans Libeo, sans rien y écrire "
        "(contrat supposé : aucune API publique n'est documentée)."
    ),
    contract="assumed",
    pages=(
        "https://support.libeo.io/hc/fr-fr/articles/360014749879 (les dix statuts d'une facture "
        "à payer)",
        "https://help.libeo.io/fr/articles/5881063 (lien avec un partenaire par la clé d'API de "
        "l'entreprise)",
        "https://help.libeo.io/fr/articles/5881149 (export comptable daté, avoirs compris)",
        "supposé : adresses, champs, sens, pages, quota, notifications signées, et que les "
        "factures émises portent les mêmes statuts que les factures reçues",
    ),
    test_hosts=(HOST,),
    live_hosts=(),
    auth=HeaderAuth(header="X-Api-Key", setting="api_key"),
    settings=(
        Setting(
            name="api_key",
            label_fr="Clé d'API de l'entreprise (Configuration > Intégrations)",
            label_en="API key of the company (Configuration > Integrations)",
            secret=True,
        ),
        Setting(
            name="siret",
            label_fr="SIRET de l'entreprise dans Libeo",
            label_en="SIRET of the company in Libeo",
            pattern=r"([0-9]\s*){14}",
        ),
        Setting(
            name="webhook_secret",
            label_fr="Secret des notifications",
            label_en="Webhook secret",
            secret=True,
            required=False,
        ),
    ),
    quotas=(Quota(scope="grant", limit=1000, period=timedelta(days=1), calendar_day=True),),
    streams={"invoices": Stream(mode="changes")},
    webhook=WebhookScheme(header="Libeo-Signature"),
)
