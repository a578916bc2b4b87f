"""Declare the folder connector."""

from __future__ import annotations

from encaisse_api import Manifest, NoAuth, Setting, Stream

MANIFEST = Manifest(
    slug="folder",
    name="Dossier de factures",
    summary_fr="Lit les factures électroniques d'un fichier, d'un dossier ou d'une archive.",
    contract="documented",
    pages=(
        "EN 16931-1:2017 (semantic model of the core invoice)",
        "FNFE-MPE, BR-FR-Flux2 Schematron: BR-FR-04 (BT-3), BR-FR-08 (BT-23), BR-FR-CO-09",
    ),
    auth=NoAuth(),
    settings=(
        Setting(
            name="path",
            label_fr="Fichier, dossier ou archive de factures",
            label_en="File, folder or archive of invoices",
            kind="path",
        ),
    ),
    streams={"invoices": Stream(mode="snapshot", follows_money=False)},
)
