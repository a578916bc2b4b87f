"""The documents of a claim: fetched when it is handed over, kept once by their sum."""

from __future__ import annotations

from sqlalchemy import select

from encaisse_api import Document, FetchesDocuments, PartnerError
from encaisse_core import chaos
from encaisse_core.errors import HostError
from encaisse_core.faults import fault
from encaisse_core.host import Host, links
from encaisse_core.sightings import record_of
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp
from encaisse_core.store.upsert import bulk_upsert


class Unavailable(Exception):
    """Say that a document could not be fetched now."""


def of_claim(host: Host, company_id: str, claim_id: str) -> tuple[Document, ...]:
    """Give every document the claim's sources hold; the same bytes once."""
    s = schema.sighting.c
    with host.store.begin() as tx:
        by_id = {link.id: link for link in links(tx, company_id)}
        rows = tx.execute(
            select(s.connection_id, s.record)
            .where(s.company_id == company_id, s.claim_id == claim_id, s.presence == "live")
            .order_by(s.connection_id, s.remote_ref)
        ).all()
    found: dict[str, Document] = {}
    for row in rows:
        ref = record_of(row.record).document_ref
        link = by_id.get(row.connection_id)
        if ref is None or link is None or not host.can(link, FetchesDocuments):
            continue
        try:
            with host.open(link) as source, chaos.during("documents.fetch"):
                document: Document = source.fetch_document(ref)
        except PartnerError as error:
            raise Unavailable(
                f"Le document de la facture ne peut pas être lu dans {link.connector} : "
                f"{error.message}"
            ) from error
        except HostError:
            raise
        except Exception as error:  # a connector's bug is no document
            raise Unavailable(
                f"Le document de la facture ne peut pas être lu dans {link.connector} : "
                f"{fault(error)}"
            ) from error
        digest = host.blobs.put(document.content)
        found.setdefault(digest, document)
        with host.store.begin("documents.keep") as tx:
            bulk_upsert(
                tx,
                schema.document,
                [
                    {
                        "company_id": company_id,
                        "sha256": digest,
                        "filename": document.filename,
                        "media_type": document.media_type,
                        "size": len(document.content),
                        "claim_id": claim_id,
                        "created_at": stamp(host.clock.now()),
                    }
                ],
                key=("company_id", "sha256"),
                keep=("filename", "media_type", "size", "claim_id", "created_at"),
            )
    return tuple(found.values())
