"""Rows of the historic routes: whole-number ids, dates without dashes [D]."""

from __future__ import annotations

from encaisse_simulator.myunisoft.amounts import Row, Value
from encaisse_simulator.myunisoft.dossier import Dossier
from encaisse_simulator.myunisoft.plan import Account, Company, Term


def brief_row(account: Account) -> Row:
    """Name an account in the historic shape."""
    return {
        "account_id": account.id,
        "account_number": account.number,
        "label": account.name,
        "counterpart_account": None,
    }


def term_row(term: Term) -> Row:
    """Write a payment term as the parameters have it."""
    return {
        "id": term.id,
        "label": term.label,
        "number_of_days": term.days,
        "end_month": term.end_of_month,
        "day_number": term.day,
    }


def complementary_row(company: Company) -> Row:
    """Write what only `account/v2` says of a customer."""
    first = company.contacts[0] if company.contacts else None
    deadline: Value = None
    if company.term is not None:
        row = term_row(company.term)
        deadline = {"id_payment_deadline": row.pop("id"), **row}
    contacts: list[Value] = [
        {
            "tel1": each.phone or None,
            "tel2": None,
            "email": each.email or None,
            "ordre": place,
            "firstname": each.first_name or None,
            "lastname": each.last_name or None,
            "function": each.role or None,
            "id_contact_compte_tiers": place,
        }
        for place, each in enumerate(company.contacts, 1)
    ]
    return {
        "siren": company.siren or None,
        "name": company.name,
        "address_number": company.address_number or None,
        "indice_repetition": None,
        "typevoie": {"lib": company.street_type, "id_type_voie": 1}
        if company.street_type
        else None,
        "address": company.street or None,
        "address_complement": company.complement or None,
        "postal_code": company.postcode or None,
        "city": company.city or None,
        "id_country": None,
        "is_foreign": company.country != "FRANCE",
        "email": first.email or None if first else None,
        "tel": first.phone or None if first else None,
        "tel2": None,
        "function": first.role or None if first else None,
        "contact_firstname": first.first_name or None if first else None,
        "contact_lastname": first.last_name or None if first else None,
        "contact_list": contacts,
        "iban_list": [],
        "payment_type": None,
        "payment_deadline": deadline,
        "misc_doubtful_id": None,
        "misc_archived": company.archived,
        "misc_language_id": 1,
    }


def society_row(dossier: Dossier) -> Row:
    """Write what the list and the single object share; everything else may be null [D]."""
    return {
        "society_id": dossier.society_id,
        "name": dossier.name,
        "siret": dossier.siret or dossier.siren or None,
        "address": f"{dossier.street} {dossier.postcode} {dossier.city}",
        "address_number": None,
        "road_type": None,
        "street_name": dossier.street,
        "complement": None,
        "postal_code": dossier.postcode,
        "country": "FRANCE",
        "insee": None,
        "capital": None,
        "secured": False,
        "analytics": False,
        "member_id": dossier.firm.firm_id,
        "folder_reference": dossier.reference,
        "id_type_company": None,
        "safe_status": None,
        "status": "En cours",
        "step": None,
        "companyType": None,
        "coordonnee": [],
    }


def listed_row(dossier: Dossier) -> Row:
    """Write one row of a cabinet's list."""
    return {**society_row(dossier), "ape": None, "city": dossier.city}


def dossier_row(dossier: Dossier) -> Row:
    """Write the single object, whose parts nest; the registration date is unknown here."""
    nested: Row = {
        "ape": None,
        "legal_form": None,
        "vat_regime": None,
        "owner_company": {"id": dossier.firm.firm_id, "value": dossier.firm.name},
        "city": {"label": dossier.city, "value": dossier.city},
        "accountant": None,
        "rm": None,
        "collab": None,
        "formule_code": None,
        "registration_date": None,
    }
    return {**society_row(dossier), **nested}
