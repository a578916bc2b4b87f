"""What a person reads: the signing page, the signed mandate, the attestation. In French."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from encaisse_simulator.gcollect.entities import AnnexLine, Creditor, Mandate
from encaisse_simulator.paris import PARIS
from encaisse_simulator.wire import SimResponse

_FRAME = """<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font-family:system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}}
table{{border-collapse:collapse;width:100%}}td,th{{border-bottom:1px solid #ccc;padding:.4rem}}
td.n,th.n{{text-align:right}}label{{display:block;margin:.8rem 0}}.error{{color:#a00}}</style>
</head><body><main><h1>{title}</h1>
{content}
</main></body></html>
"""

_FORM = """<form method="post">
<label>Nom du signataire <input name="signer_name" required maxlength="200"></label>
<label>Courriel <input name="signer_email" type="email" required maxlength="200"></label>
<label><input type="checkbox" name="accept" value="yes">
J'ai lu la liste des créances et je donne mandat de les recouvrer à l'amiable.</label>
<button name="decision" value="sign">Signer le mandat</button>
<button name="decision" value="refuse" formnovalidate>Refuser</button>
</form>"""

_ALREADY = {
    "signed": "Ce mandat est signé. Vous pouvez fermer cette page.",
    "refused": "Ce mandat a été refusé. Aucune procédure ne sera ouverte.",
    "expired": "Le délai pour signer ce mandat est dépassé. Demandez-en un nouveau.",
    "revoked": "Ce mandat a été révoqué.",
}


def signing_page(
    mandate: Mandate, creditor: Creditor, rates: Sequence[str], *, error: str | None = None
) -> SimResponse:
    """Show the claims and, while the mandate waits, the form."""
    parts = [
        f"<p>Créancier : <strong>{escape(creditor.name)}</strong>, SIREN {creditor.siren}.</p>",
        _claims_table(mandate.annex),
        f"<p>Honoraires au succès seulement : {escape(' % ; '.join(rates))} % du principal "
        "recouvré, plus la TVA. Rien à payer d'avance.</p>",
    ]
    if error is not None:
        parts.append(f'<p class="error" role="alert">{escape(error)}</p>')
    if mandate.status == "pending_signature":
        parts.append(_FORM)
    else:
        parts.append(f'<p role="status">{_ALREADY[mandate.status]}</p>')
    return page(422 if error else 200, "Mandat de recouvrement amiable", "\n".join(parts))


def mandate_document(mandate: Mandate, creditor: Creditor) -> bytes:
    """Write the signed mandate."""
    signature = mandate.signature
    signer = "" if signature is None else f"{signature.name} ({signature.email})"
    content = (
        f"<p>{escape(creditor.name)}, SIREN {creditor.siren}, donne mandat de recouvrer à "
        f"l'amiable les créances suivantes.</p>{_claims_table(mandate.annex)}"
        f"<p>Signé par {escape(signer)} {_french_moment(mandate)}.</p>"
    )
    return _FRAME.format(title=f"Mandat {mandate.id}", content=content).encode()


def attestation_document(
    number: str, creditor: Creditor, lines: Sequence[tuple[str, str, str]], cause: str
) -> bytes:
    """Write an attestation of non-recovery; each line: invoice number, total, what remains."""
    rows = "".join(
        f'<tr><td>{escape(name)}</td><td class="n">{total}</td><td class="n">{left}</td></tr>'
        for name, total, left in lines
    )
    content = (
        f"<p>Les créances suivantes de {escape(creditor.name)} (SIREN {creditor.siren}) n'ont pas "
        f"pu être recouvrées. Cause : {escape(cause)}.</p><table><tr><th>Facture</th>"
        f'<th class="n">Montant TTC</th><th class="n">Reste dû</th></tr>{rows}</table>'
    )
    title = f"Attestation de non-recouvrement {number}"
    return _FRAME.format(title=title, content=content).encode()


def page(status: int, title: str, content: str) -> SimResponse:
    """Answer with a page."""
    body = _FRAME.format(title=escape(title), content=content).encode()
    headers = {"content-type": "text/html; charset=utf-8", "cache-control": "no-store"}
    return SimResponse(status, headers, body)


def euros(cents: int) -> str:
    """Write an amount as the French do."""
    whole, rest = divmod(abs(cents), 100)
    grouped = f"{whole:,}".replace(",", "\u202f")
    return f"{'-' if cents < 0 else ''}{grouped},{rest:02d}\u00a0€"


def _claims_table(annex: Sequence[AnnexLine]) -> str:
    rows = "".join(
        f"<tr><td>{escape(line.number)}</td><td>{line.issue_date:%d/%m/%Y}</td>"
        f"<td>{line.due_date:%d/%m/%Y}</td>"
        f'<td class="n">{euros(line.parts.principal)}</td>'
        f'<td class="n">{euros(line.parts.interest)}</td>'
        f'<td class="n">{euros(line.parts.indemnity)}</td></tr>'
        for line in annex
    )
    total = euros(sum(line.parts.total for line in annex))
    return (
        "<table><thead><tr><th>Facture</th><th>Émise le</th><th>Échue le</th>"
        '<th class="n">Principal</th><th class="n">Pénalités</th><th class="n">Indemnité</th></tr>'
        f"</thead><tbody>{rows}</tbody></table><p>Total : <strong>{total}</strong></p>"
    )


def _french_moment(mandate: Mandate) -> str:
    local = mandate.updated_at.astimezone(PARIS)
    return f"le {local:%d/%m/%Y} à {local:%H:%M} (heure de Paris)"
