"""SIREN and SIRET are recognised with their source, and never taken with a wrong key."""

import pytest

from encaisse_einvoicing.reading.identifiers import french_numbers


@pytest.mark.parametrize(
    ("legal_id", "scheme", "others", "vat_id", "country", "expected"),
    [
        ("123456782", "0002", (), None, None, ("123456782", "legal_id", None)),
        ("123 456 782", "0002", (), None, None, ("123456782", "legal_id", None)),
        ("123456782", None, (), None, "FR", ("123456782", "legal_id", None)),
        ("123456782", None, (), None, "DE", (None, None, None)),
        ("123456782", None, (), None, None, (None, None, None)),
        ("12345678200002", "0009", (), None, None, ("123456782", "siret", "12345678200002")),
        ("12345678200002", None, (), None, "FR", ("123456782", "siret", "12345678200002")),
        (None, None, (("12345678200002", "0009"),), None, None,
         ("123456782", "siret", "12345678200002")),
        (None, None, (), "FR14987654324", None, ("987654324", "vat", None)),
        (None, None, (), "FR99987654324", None, (None, None, None)),
        (None, None, (), "FR53000005990", "MC", (None, None, None)),
        ("HRB 123", None, (), "DE123456789", "DE", (None, None, None)),
        ("123456782", "0088", (), None, "FR", (None, None, None)),
        # La Poste: its establishments follow another rule than Luhn's.
        ("35600000049837", "0009", (), None, None, ("356000000", "siret", "35600000049837")),
    ],
)  # fmt: skip
def test_the_best_source_gives_the_siren(
    legal_id: str | None,
    scheme: str | None,
    others: tuple[tuple[str | None, str | None], ...],
    vat_id: str | None,
    country: str | None,
    expected: tuple[str | None, str | None, str | None],
) -> None:
    found = french_numbers(legal_id, scheme, others, vat_id, country)
    assert (found.siren, found.source, found.siret) == expected
    assert found.wrong == ()


@pytest.mark.parametrize(
    ("legal_id", "scheme", "others", "vat_id", "code", "siren"),
    [
        ("123456789", "0002", (), None, "siren_invalid", None),
        ("123456789", "0002", (), "FR14987654324", "siren_invalid", "987654324"),
        ("12345678200003", "0009", (), None, "siret_invalid", None),
        (None, None, (("12345678200003", "0009"),), None, "siret_invalid", None),
        ("987654324", "0002", (("12345678200002", "0009"),), None, "siret_conflict", "987654324"),
        ("123456782", "0002", (), "FR14987654324", "siren_conflict", "123456782"),
    ],
)
def test_a_wrong_or_contradicting_number_is_told(
    legal_id: str | None,
    scheme: str | None,
    others: tuple[tuple[str | None, str | None], ...],
    vat_id: str | None,
    code: str,
    siren: str | None,
) -> None:
    found = french_numbers(legal_id, scheme, others, vat_id, "FR")
    assert [wrong[0] for wrong in found.wrong] == [code]
    assert found.siren == siren


def test_a_siret_filed_as_a_siren_is_recognised_and_told() -> None:
    found = french_numbers("12345678200002", "0002", (), None, "FR")
    assert (found.siren, found.source, found.siret) == ("123456782", "siret", "12345678200002")
    assert [wrong[0] for wrong in found.wrong] == ["siren_invalid"]
