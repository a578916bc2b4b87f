"""Two sellers may write the same number and total; their invoices stay two."""

from __future__ import annotations

from tests.core.test_join import ACME, against, face, there

from encaisse_core.join import Candidate, Doubtful, Joined, Separate, choose


def test_sellers_without_a_siren_are_told_apart_by_their_vat_numbers() -> None:
    dane = there(seller_vat="DK 12.34.56.78")
    assert against(face(seller_vat="DK12345678"), dane) == Joined("clm_s2", 4)
    assert against(face(seller_vat="NL123456782B90"), dane) == Separate()
    assert against(face(), dane) == Joined("clm_s2", 4)


def test_a_french_vat_number_says_the_siren() -> None:
    known = there(seller_siren=ACME)
    assert against(face(seller_vat="FR11 123 456 782"), known) == Joined("clm_s2", 4)
    assert against(face(seller_vat="FR11987654324"), known) == Separate()


def test_a_siren_here_and_a_foreign_vat_number_there_are_a_persons_question() -> None:
    assert isinstance(against(face(seller_vat="DK12345678"), there(seller_siren=ACME)), Doubtful)


def test_a_claim_of_another_seller_is_not_joined_through_a_record_that_names_none() -> None:
    silent = there("s2")
    dane = face("s3", "cnx_tryton", seller_vat="DK12345678")
    one_claim = [Candidate("clm_s2", 4, silent), Candidate("clm_s2", 4, dane)]
    assert isinstance(choose(face(seller_vat="DE123456788"), one_claim), Doubtful)
    assert choose(face(seller_vat="DK12345678"), one_claim) == Joined("clm_s2", 4)
