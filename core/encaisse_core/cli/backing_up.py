"""Save the store in one file while it works, and bring it back."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import click

from encaisse_core import backup as backups
from encaisse_core.app import DOCUMENTS, database_of, folder_of
from encaisse_core.backup import Restored
from encaisse_core.cli import files, showing
from encaisse_core.cli.progress import step
from encaisse_core.cli.session import Session, json_option
from encaisse_core.clock import SystemClock, SystemIds
from encaisse_core.errors import DONE, ITEMS_REFUSED
from encaisse_core.vault import KEK_FILE, load_vault

NO_KEY = (
    "La clé qui déchiffre les secrets n'est pas dans ce fichier (ENCAISSE_KEK, ou le fichier "
    "« kek » du dossier de données) : gardez-la ailleurs. Sans elle les accès seront à reconnecter."
)
CLEAR = "Les noms de vos clients y sont en clair : gardez ce fichier en lieu sûr."


@click.command("backup", help="Sauvegarde la base et les documents dans un fichier.")
@click.argument("file", metavar="FICHIER", type=click.Path(path_type=Path))
@json_option
@click.pass_context
def backup(context: click.Context, file: Path, as_json: bool) -> None:
    """Write a backup while whoever uses the store goes on; exit 1 where a document is missing."""
    files.check(file)
    with context.ensure_object(Session).open() as app, step("Sauvegarde"):
        done = backups.dump(
            app.host.store,
            app.host.blobs,
            file,
            at=app.host.clock.now(),
            version=version("encaisse"),
        )
    if as_json:
        showing.as_json(
            {
                "file": str(file),
                "digest": done.digest,
                "revision": done.revision,
                "taken_at": done.taken_at,
                "rows": done.rows,
                "documents": done.documents,
                "missing_documents": list(done.missing),
                "kek_ids": list(done.kek_ids),
                "bytes": done.bytes,
            }
        )
    else:
        click.echo(
            f"{showing.plural(done.rows, 'ligne')} et "
            f"{showing.plural(done.documents, 'document')} dans {file} "
            f"({done.bytes // 1024 + 1} Kio), empreinte {done.digest}."
        )
        showing.say(NO_KEY)
        showing.say(CLEAR)
    if done.missing:
        _tell_missing(done.missing)
    context.exit(ITEMS_REFUSED if done.missing else DONE)


@click.command("restore", help="Restaure une sauvegarde dans une base vide.")
@click.argument("file", metavar="FICHIER", type=click.Path(path_type=Path))
@json_option
@click.pass_context
def restore(context: click.Context, file: Path, as_json: bool) -> None:
    """Bring a backup back; until partners were asked what was sent since, nothing new is sent."""
    session = context.ensure_object(Session)
    clock = session.clock or SystemClock()
    ids = session.ids or SystemIds(clock)
    folder = session.folder or folder_of(session.environ)
    with step("Vérification de la sauvegarde"):
        archive = backups.open_archive(file)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with step("Restauration"):
        done = backups.restore(
            archive,
            database_of(session.environ, folder),
            folder / DOCUMENTS,
            ids,
            at=clock.now(),
        )
    lacking = _lacking(session, folder, done)
    if as_json:
        showing.as_json(
            {
                "file": str(file),
                "digest": done.digest,
                "taken_at": done.taken_at,
                "migrated_from": done.migrated_from,
                "companies": done.companies,
                "rows": done.rows,
                "documents": done.documents,
                "missing_documents": list(done.missing),
                "effects_in_doubt": done.in_doubt,
                "missing_kek_ids": lacking,
            }
        )
    else:
        _tell(done)
    for kek_id in lacking:
        showing.say(
            f"La clé {kek_id} n'est pas ici : remettez-la (ENCAISSE_KEK, ou le fichier "
            f"{folder / KEK_FILE}) avant toute autre commande.",
            err=True,
        )
    if done.missing:
        _tell_missing(done.missing)
    context.exit(ITEMS_REFUSED if done.missing or lacking else DONE)


def _lacking(session: Session, folder: Path, done: Restored) -> list[str]:
    """Name the keys without which the restored secrets stay closed; makes none."""
    if not session.environ.get("ENCAISSE_KEK") and not (folder / KEK_FILE).exists():
        return list(done.kek_ids)
    clock = session.clock or SystemClock()
    vault = load_vault(folder, session.ids or SystemIds(clock), session.environ)
    return [kek_id for kek_id in done.kek_ids if not vault.knows(kek_id)]


def _tell(done: Restored) -> None:
    click.echo(
        f"{showing.plural(done.rows, 'ligne')} et {showing.plural(done.documents, 'document')} "
        f"de {showing.plural(done.companies, 'société')} restaurés, tels qu'au "
        f"{showing.moment(done.taken_at)}. Le journal tient."
    )
    if done.migrated_from is not None:
        click.echo(f"La base était à la révision {done.migrated_from} : elle est mise à jour.")
    click.echo(
        f"{showing.plural(done.in_doubt, 'envoi')} en doute : ce qui a pu partir depuis la "
        "sauvegarde est d'abord cherché chez les partenaires. Rien n'est ouvert avant qu'ils "
        "aient tous été relus (encaisse nightly)."
    )
    showing.say(
        "Ce que des personnes ont décidé depuis (réponses, propositions, connexions, relevés "
        "émis, écritures remises) n'y est pas : elles devront le redire."
    )


def _tell_missing(missing: tuple[str, ...]) -> None:
    showing.say(
        f"{showing.plural(len(missing), 'document')} nommés par la base manquent au coffre : "
        f"{', '.join(one[:12] for one in missing[:5])}.",
        err=True,
    )
