"""What each error code of MyUnisoft means for the host, and the sentence a person reads.

Codes and their meaning: erreurs.html. HTTP statuses beside the gateway's codes are not documented,
so the code decides wherever there is one. A code that is not here refuses a write and is drift in a
read.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class Fate(Enum):
    """Say what a vendor code means for the host."""

    DENIED = "the key no longer opens the door"
    LATER = "nothing was done, come back"
    PERIOD = "the accounting period is closed"
    PERSON = "a person must change something there"
    REFUSED = "this entry is refused"
    DIFFERS = "something else stands there"
    UNSURE = "it may have been done"


KEY = "générez une nouvelle clé dans Paramètres > Connecteurs, puis reconnectez MyUnisoft"

CODES: Mapping[str, tuple[Fate, str]] = {
    # --- the gateway ---------------------------------------------------------------------------
    "ERR-INVALID-AUTH-HEADER": (Fate.DENIED, f"la clé d'API est mal formée ; {KEY}"),
    "ERR-INVALID-JWT": (Fate.DENIED, f"la clé d'API n'est pas reconnue ; {KEY}"),
    "ERR-INVALID-USER-JWT": (Fate.DENIED, f"la clé d'API n'est pas reconnue ; {KEY}"),
    "ERR-INVALID-API-JWT": (Fate.DENIED, f"la clé d'API n'est pas celle d'un dossier ; {KEY}"),
    "ERR-INVALID-FIRM-JWT": (Fate.DENIED, f"la clé d'API n'est pas celle d'un cabinet ; {KEY}"),
    "ERR-API-TOKEN-NOT-FOUND": (Fate.DENIED, f"la clé d'API a été révoquée ; {KEY}"),
    "ERR-FIRM-TOKEN-NOT-FOUND": (Fate.DENIED, f"la clé du cabinet a été révoquée ; {KEY}"),
    "ERR-FOLDER-NOT-FOUND": (Fate.DENIED, f"la clé n'ouvre plus aucun dossier actif ; {KEY}"),
    "ERR-SCHEMA-NOT-FOUND": (Fate.DENIED, f"l'espace de cette clé n'existe plus ; {KEY}"),
    "ERR-SECRET-NOT-CONFIGURED": (
        Fate.DENIED,
        "le secret du partenaire n'est pas encore activé par MyUnisoft",
    ),
    "ERR-SECRET-HEADER-NOT-SET": (Fate.DENIED, "le secret du partenaire manque à l'accès"),
    "ERR-INVALID-SECRET": (Fate.DENIED, "le secret du partenaire n'est pas reconnu"),
    "ERR-THIRD-PARTY-DISCONNECTED": (Fate.DENIED, f"le dossier a déconnecté encaisse ; {KEY}"),
    "ERR-FORBIDDEN-ACCESS": (Fate.DENIED, f"cette clé n'a pas accès à ce service ; {KEY}"),
    "ERR-MISSING-RULE": (Fate.PERSON, "demandez à MyUnisoft d'ouvrir ce service à encaisse"),
    "ERR-FORBIDDEN-ROUTE": (Fate.PERSON, "demandez à MyUnisoft d'ouvrir ce service à encaisse"),
    "ERR-API-UNDER-MAINTENANCE": (Fate.LATER, "MyUnisoft est en maintenance"),
    "ERR-TOO-MANY-REQUEST": (Fate.LATER, "MyUnisoft demande d'attendre"),
    "ERR-TOO-MANY-REQUESTS": (Fate.LATER, "MyUnisoft demande d'attendre"),
    "ERR-TOO-MANY-CONCURRENT-REQUEST": (Fate.LATER, "trop d'appels en même temps"),
    "ERR-TOO-MANY-CONCURRENT-REQUESTS": (Fate.LATER, "trop d'appels en même temps"),
    "ERR-INTERNAL": (Fate.UNSURE, "MyUnisoft est en panne"),
    "ERR-HTTP": (Fate.UNSURE, "MyUnisoft n'a pas pu traiter l'appel"),
    # --- the dossier ---------------------------------------------------------------------------
    "DROIT1": (
        Fate.PERSON,
        "ce dossier n'est pas ouvert à cette clé ; vérifiez le dossier raccordé",
    ),
    "SOCIETE12": (Fate.PERSON, "le dossier est inactif ; réactivez-le dans MyUnisoft"),
    "SOCIETE16": (Fate.PERSON, "le dossier est inconnu ; vérifiez le dossier raccordé"),
    # --- periods -------------------------------------------------------------------------------
    "ECR9": (Fate.PERIOD, "l'exercice de cette date est clos"),
    "ECR10": (Fate.PERIOD, "aucun exercice ne contient cette date"),
    "BLOCAGE_PERIODIQUE23": (
        Fate.PERIOD,
        "la période ou le journal est verrouillé par le comptable ; demandez-lui de l'ouvrir",
    ),
    "LETTRAGE2": (Fate.PERIOD, "l'exercice de ces lignes est clos, elles ne se lettrent plus"),
    # --- journals, accounts, means of payment --------------------------------------------------
    "JOURNAL2": (Fate.PERSON, "le journal est fermé ; ouvrez-le ou choisissez-en un autre"),
    "JOURNAL21": (Fate.PERSON, "le journal est fermé ; ouvrez-le ou choisissez-en un autre"),
    "JOURNAL3": (Fate.PERSON, "le journal n'est pas valable ; choisissez-en un autre"),
    "JOURNAL9": (Fate.PERSON, "le journal n'a pas de type ; choisissez-en un autre"),
    "JOURNAL13": (Fate.PERSON, "le journal est celui des à-nouveaux ; choisissez-en un autre"),
    "ECR17": (Fate.PERSON, "ce journal ne prend pas ce type d'écriture ; choisissez-en un autre"),
    "ECR36": (Fate.PERSON, "un journal de banque demande un compte 512 ; changez le réglage"),
    "ECR37": (Fate.PERSON, "un journal de caisse demande un compte 53 ; changez le réglage"),
    "ECR48": (Fate.PERSON, "le dossier raccordé n'est pas celui de l'écriture"),
    "COMPTE2": (Fate.PERSON, "un des comptes n'existe plus ; vérifiez les réglages"),
    "COMPTE5": (Fate.PERSON, "un des comptes est d'un autre dossier ; vérifiez les réglages"),
    "COMPTE32": (Fate.PERSON, "un des comptes est fermé ; rouvrez-le dans MyUnisoft"),
    "TYPEPAY1": (Fate.PERSON, "le mode de règlement est d'un autre dossier"),
    # --- the entry itself ----------------------------------------------------------------------
    "ECR1": (Fate.REFUSED, "l'écriture n'est pas équilibrée"),
    "ECR14": (Fate.REFUSED, "l'écriture n'est pas équilibrée"),
    "ECR2": (Fate.REFUSED, "un débit ou un crédit n'est pas valable"),
    "ECR4": (Fate.REFUSED, "l'écriture n'est pas valable"),
    "ECR6": (Fate.REFUSED, "la date de pièce n'est pas valable"),
    "ECR11": (Fate.UNSURE, "MyUnisoft n'a pas pu créer l'écriture"),
    "ECR12": (Fate.UNSURE, "MyUnisoft n'a pas pu enregistrer l'écriture"),
    "ECR16": (Fate.REFUSED, "cette opération n'est pas permise sur ces lignes"),
    "ECR21": (Fate.REFUSED, "un montant manque"),
    "ECR27": (Fate.REFUSED, "une ligne a un débit et un crédit"),
    "ECR39": (Fate.REFUSED, "l'écriture n'a pas de ligne"),
    "ECR42": (Fate.REFUSED, "un libellé manque"),
    "ECR43": (Fate.REFUSED, "l'écriture n'a pas de ligne"),
    "DOCUMENT6": (Fate.REFUSED, "la pièce jointe n'est pas valable"),
    "GBL10": (Fate.REFUSED, "un paramètre manque ou n'est pas valable"),
    "GBL6": (Fate.UNSURE, "une écriture porte déjà notre référence"),
    # --- lettering -----------------------------------------------------------------------------
    "LETTRAGE1": (Fate.REFUSED, "les débits et les crédits à lettrer ne s'équilibrent pas"),
    "LETTRAGE4": (Fate.REFUSED, "un compte de classe 8 ne se lettre pas"),
    "LETTRAGE5": (Fate.REFUSED, "une ligne d'à-nouveau ne se lettre pas dans ce dossier"),
    "LETTRAGE8": (Fate.REFUSED, "une ligne extracomptable ne se lettre pas"),
    "LETTRAGE9": (Fate.REFUSED, "un à-nouveau provisoire ne se lettre pas"),
    "LETTRAGE10": (Fate.DIFFERS, "une des lignes est déjà lettrée ; laissez faire le comptable"),
}
"""Each code that can answer what this connector asks."""
