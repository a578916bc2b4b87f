"""What MyUnisoft answers when it says no: one error under a root `error` [D]."""

from __future__ import annotations

from datetime import datetime

from encaisse_simulator.myunisoft.amounts import Value, answer
from encaisse_simulator.myunisoft.choices import BUSINESS_STATUS, STATUS_OF_GATEWAY
from encaisse_simulator.wire import SimResponse

MESSAGES: dict[str, str] = {
    "ERR-SECRET-HEADER-NOT-SET": "L'en-tête X-Third-Party-Secret manque.",
    "ERR-INVALID-SECRET": "La clé partenaire n'est pas reconnue.",
    "ERR-SECRET-NOT-CONFIGURED": "La clé partenaire n'est pas encore activée.",
    "ERR-INVALID-AUTH-HEADER": "L'en-tête Authorization doit commencer par Bearer.",
    "ERR-API-TOKEN-NOT-FOUND": "Cette clé d'accès n'existe pas ou a été révoquée.",
    "ERR-FIRM-TOKEN-NOT-FOUND": "Cette clé de cabinet n'existe pas ou a été révoquée.",
    "ERR-FOLDER-NOT-FOUND": "Aucun dossier actif ne correspond à cette clé.",
    "ERR-THIRD-PARTY-DISCONNECTED": "Ce partenaire n'est plus connecté.",
    "ERR-FORBIDDEN-ROUTE": "Cette route n'est pas ouverte à ce partenaire.",
    "ERR-FORBIDDEN-ACCESS": "Cette route demande un accès cabinet.",
    "ERR-HTTP": "Cette route n'existe pas.",
    "ERR-TOO-MANY-REQUEST": "Trop de requêtes : 20 par 10 secondes et par clé.",
    "ERR-TOO-MANY-CONCURRENT-REQUEST": "Trop de requêtes simultanées sur cette route.",
    "ERR-API-UNDER-MAINTENANCE": "L'API est en maintenance.",
    "ERR-INTERNAL": "Erreur interne.",
    "ERR-ENTRY-NOT-FOUND": "Aucune écriture ne correspond.",
    "BLOCAGE_PERIODIQUE23": "La période ou le journal est verrouillé par un comptable.",
    "COMPTE2": "Compte inconnu.",
    "COMPTE5": "Ce compte est celui d'un autre dossier.",
    "COMPTE6": "Un numéro de compte commence par un chiffre de 1 à 9.",
    "COMPTE7": "Un numéro de compte a 20 caractères au plus.",
    "COMPTE32": "Ce compte est fermé.",
    "DOCUMENT6": "Pièce jointe refusée.",
    "DROIT1": "Vous n'avez pas accès à cette société.",
    "ECR2": "Débit ou crédit incorrect.",
    "ECR4": "Écriture invalide.",
    "ECR6": "Date de pièce incorrecte.",
    "ECR9": "L'exercice est clos.",
    "ECR10": "La date n'est dans aucun exercice.",
    "ECR14": "Écriture déséquilibrée.",
    "ECR16": "Opération interdite sur ces comptes ou ces lignes.",
    "ECR17": "Type d'écriture non autorisé.",
    "ECR21": "Le montant est vide.",
    "ECR27": "Une ligne porte à la fois un débit et un crédit.",
    "ECR36": "Une écriture de banque doit comporter un compte 51 ou 54.",
    "ECR37": "Une écriture de caisse doit comporter un compte 53.",
    "ECR39": "La liste des lignes est vide.",
    "ECR42": "Le libellé est vide.",
    "ECR48": "L'établissement ne correspond pas.",
    "GBL6": "Cet élément existe déjà.",
    "GBL10": "Paramètre manquant ou incorrect.",
    "JOURNAL2": "Le journal est fermé.",
    "JOURNAL3": "Journal invalide.",
    "JOURNAL13": "Un journal d'à-nouveaux ne reçoit pas d'écriture.",
    "LETTRAGE1": "Le total des débits diffère de celui des crédits.",
    "LETTRAGE2": "L'exercice est clos.",
    "LETTRAGE4": "Un compte de classe 8 ne se lettre pas.",
    "LETTRAGE5": "Une ligne d'à-nouveau ne se lettre pas dans un dossier MULTI.",
    "LETTRAGE8": "Une ligne extra-comptable ne se lettre pas.",
    "LETTRAGE9": "Un à-nouveau provisoire ne se lettre pas.",
    "LETTRAGE10": "Une ou plusieurs lignes sont déjà lettrées.",
    "SOCIETE12": "Le dossier est inactif.",
    "SOCIETE16": "Société inconnue.",
    "TYPEPAY1": "Ce type de paiement n'est pas celui du dossier.",
}
"""Codes are the vendor's [D]; the words are ours, since a caller reads codes only."""


class Refused(Exception):
    """Stop a request with a code; `why` is for whoever reads a failing test."""

    def __init__(self, code: str, why: str = "", status: int | None = None) -> None:
        super().__init__(f"{code} {why}".strip())
        self.code = code
        self.why = why
        self.status = status or status_of(code)


def status_of(code: str) -> int:
    """Give the HTTP status of a code."""
    if code.startswith("ERR-"):
        return STATUS_OF_GATEWAY.get(code, 404 if code == "ERR-ENTRY-NOT-FOUND" else 401)
    return BUSINESS_STATUS.get(code, 400)


def refusal(
    refused: Refused, *, url: str, method: str, at: datetime, request_id: str
) -> SimResponse:
    """Write a refusal; the gateway tells of the request, business ones often of nothing [D]."""
    details: Value = refused.why
    if refused.code.startswith("ERR-"):
        details = {
            "url": url,
            "method": method,
            "requestedAt": at.strftime("%d %b %Y, %H:%M:%S"),
            "requestId": request_id,
        }
    message = MESSAGES.get(refused.code, "Erreur.")
    error: Value = {"code": refused.code, "message": message, "details": details}
    return answer({"error": error}, refused.status)
