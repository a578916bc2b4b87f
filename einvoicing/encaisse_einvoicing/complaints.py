"""Say in French what the XML parser and the operating system say in English."""

import errno
from collections.abc import Mapping
from typing import Final

XML: Final[Mapping[int, str]] = {
    4: "il ne contient aucune balise",
    5: "il continue après la fin de la facture",
    9: "il contient un caractère interdit",
    23: "une entité « & » n'est pas fermée par un point-virgule",
    26: "une entité « & » n'est pas définie",
    32: "son encodage n'est pas reconnu",
    38: "un attribut contient « < »",
    39: "la valeur d'un attribut n'est pas entre guillemets",
    40: "la valeur d'un attribut n'est pas fermée",
    41: "un attribut n'a pas de valeur",
    42: "un attribut est écrit deux fois",
    45: "un commentaire n'est pas fermé",
    62: "« ]]> » est écrit hors d'un bloc CDATA",
    63: "un bloc CDATA n'est pas fermé",
    64: "une déclaration XML n'est pas au début du fichier",
    65: "deux attributs ne sont pas séparés",
    68: "un nom manque après « < » ou « & »",
    73: "une balise n'est pas fermée par « > »",
    76: "une balise fermante ne répond pas à la balise ouverte",
    77: "le fichier s'arrête avant la fin",
    80: "un commentaire contient deux tirets de suite",
    110: "un nom est trop long",
    114: "ses balises sont emboîtées trop profondément, ou une valeur est trop longue",
    201: "un préfixe d'espace de noms n'est pas défini",
}
"""xmlParserErrors of libxml2 (xmlerror.h), those damaged invoices really give."""

SYSTEM: Final[Mapping[int, str]] = {
    errno.EACCES: "vous n'en avez pas le droit",
    errno.EPERM: "le système ne le permet pas",
    errno.ENOENT: "il n'existe pas",
    errno.ENOTDIR: "un dossier de son chemin est un fichier",
    errno.EISDIR: "c'est un dossier",
    errno.EEXIST: "un fichier de ce nom existe déjà",
    errno.ENOSPC: "le disque est plein",
    errno.EDQUOT: "votre espace disque est épuisé",
    errno.EROFS: "le disque est en lecture seule",
    errno.EIO: "le disque ne répond pas comme il faut",
    errno.ENAMETOOLONG: "son nom est trop long",
    errno.ELOOP: "des liens tournent en rond",
    errno.EMFILE: "trop de fichiers sont ouverts",
    errno.ENFILE: "trop de fichiers sont ouverts",
    errno.EBUSY: "il est occupé par un autre programme",
    errno.ETXTBSY: "il est occupé par un autre programme",
    errno.EFBIG: "il serait trop grand",
    errno.ESTALE: "le disque du réseau ne répond plus",
    errno.ETIMEDOUT: "le disque du réseau ne répond pas",
    errno.EINVAL: "son nom n'est pas accepté",
}
"""What opening, reading or writing a file may answer (errno.h)."""


def of_the_parser(code: int) -> str:
    """Say why a document is no XML; a code nobody met keeps its number, to be looked up."""
    return XML.get(code, f"sa syntaxe n'est pas celle du XML (code {code})")


def of_the_system(error: OSError) -> str:
    """Say why a file could not be used; a code nobody met keeps its number, to be looked up."""
    return SYSTEM.get(error.errno or 0, f"le système le refuse (code {error.errno})")
