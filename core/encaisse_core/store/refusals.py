"""Say what a database's fault means, and what a person does about it."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, OperationalError

from encaisse_core.errors import StoreError

FAULTS: tuple[tuple[str, str], ...] = (
    (
        "disk is full",
        "Le disque est plein : la dernière écriture a été annulée, rien n'est perdu. "
        "Libérez de la place, puis relancez la commande.",
    ),
    (
        "No space left",
        "Le disque de la base est plein : la dernière écriture a été annulée, rien n'est perdu. "
        "Libérez de la place, puis relancez la commande.",
    ),
    (
        "database is locked",
        "La base est occupée par une autre commande depuis plus de 30 secondes. "
        "Attendez sa fin, puis relancez.",
    ),
    (
        "readonly database",
        "La base de données est en lecture seule. Vérifiez les droits du dossier de données.",
    ),
    (
        "unable to open database",
        "La base de données ne peut pas être ouverte. Vérifiez le dossier de données et ses "
        "droits.",
    ),
    (
        "not a database",
        "Le fichier de la base est abîmé ou n'est pas une base d'encaisse. "
        "Restaurez une sauvegarde.",
    ),
    (
        "malformed",
        "Le fichier de la base est abîmé. Restaurez une sauvegarde.",
    ),
    (
        "permission denied",
        "Le rôle PostgreSQL n'a pas les droits qu'il faut. Avec le rôle propriétaire de la base : "
        "encaisse database prepare --role CE_RÔLE.",
    ),
    (
        "must be owner of",
        "La base doit être mise à jour par le rôle qui la possède : encaisse database prepare, "
        "avec ENCAISSE_DATABASE_URL à son nom.",
    ),
    (
        "onnection refused",
        "Le serveur PostgreSQL ne répond pas. Vérifiez ENCAISSE_DATABASE_URL.",
    ),
)
"""What databases say (SQLite result codes, PostgreSQL class 53 and 08), and what a person does."""


def wrapped(error: Exception, base: type[Exception]) -> DBAPIError:
    """Give a driver's own error as SQLAlchemy would have raised it."""
    made = DBAPIError.instance(None, None, error, base)
    assert isinstance(made, DBAPIError)
    return made


def store_error(error: DBAPIError) -> Exception:
    """Turn a database's fault into a sentence; a programming error stays what it is."""
    said = str(error.orig)
    for sign, sentence in FAULTS:
        if sign in said:
            return StoreError(sentence)
    if isinstance(error, OperationalError):
        return StoreError(f"La base de données a refusé l'opération : {said}")
    return error
