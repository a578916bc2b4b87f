"""Who may call MyUnisoft, how often, and in which words it refuses."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from tests.simulator.office import PARTNER_SECRET, Office, code_of

SOCIETY = "https://api.myunisoft.fr/api/v1/society"


def test_a_stranger_is_refused_at_the_first_thing_that_is_wrong(office: Office) -> None:
    token = office.tokens["mono"]
    steps = [
        ({}, "ERR-SECRET-HEADER-NOT-SET"),
        ({"Authorization": f"Bearer {token}"}, "ERR-SECRET-HEADER-NOT-SET"),
        ({"X-Third-Party-Secret": "other"}, "ERR-INVALID-SECRET"),
        ({"X-Third-Party-Secret": PARTNER_SECRET}, "ERR-INVALID-AUTH-HEADER"),
        (
            {"X-Third-Party-Secret": PARTNER_SECRET, "Authorization": token},
            "ERR-INVALID-AUTH-HEADER",
        ),
        (
            {"X-Third-Party-Secret": PARTNER_SECRET, "Authorization": "Bearer other"},
            "ERR-API-TOKEN-NOT-FOUND",
        ),
    ]
    for headers, code in steps:
        answer = office.http.get(SOCIETY, headers=headers)
        assert code_of(answer) == (401, code)
        assert answer.headers["request-id"].startswith("req-")


def test_a_refusal_at_the_gate_tells_of_the_request(office: Office) -> None:
    answer = office.http.get(SOCIETY)
    details = answer.json()["error"]["details"]
    assert details == {
        "url": SOCIETY,
        "method": "GET",
        "requestedAt": "24 Nov 2026, 08:00:00",
        "requestId": answer.headers["request-id"],
    }


def test_a_partner_not_yet_activated_is_not_recognised(office: Office) -> None:
    office.world.myunisoft.change_partner(activated=False)
    assert code_of(office.call("GET", "/society")) == (401, "ERR-SECRET-NOT-CONFIGURED")
    office.world.myunisoft.change_partner(activated=True, connected=False)
    assert code_of(office.call("GET", "/society")) == (403, "ERR-THIRD-PARTY-DISCONNECTED")


def test_another_partners_key_opens_nothing(office: Office) -> None:
    tool = office.world.myunisoft
    tool.register_partner("autre-clef", name="Autre", code="AUTR", third_party_id=45)
    office.tokens["theirs"] = tool.society_key(office.mono.society_id, partner="Autre")
    assert code_of(office.call("GET", "/society", token="theirs")) == (
        401,
        "ERR-API-TOKEN-NOT-FOUND",
    )


@pytest.mark.parametrize(
    ("token", "code"), [("mono", "ERR-API-TOKEN-NOT-FOUND"), ("firm", "ERR-FIRM-TOKEN-NOT-FOUND")]
)
def test_a_revoked_key_is_unknown_from_then_on(office: Office, token: str, code: str) -> None:
    assert office.call("GET", "/society", token=token).status_code == 200
    office.world.myunisoft.revoke(office.tokens[token])
    assert code_of(office.call("GET", "/society", token=token)) == (401, code)


def test_a_companys_key_opens_its_dossier_and_no_list(office: Office) -> None:
    found = office.call("GET", "/society").json()
    assert (found["society_id"], found["name"]) == (office.mono.society_id, "Atelier Modèle SARL")
    refused = office.call("GET", "/society/search", reference="ATEL1")
    assert code_of(refused) == (403, "ERR-FORBIDDEN-ACCESS")


def test_a_firms_key_lists_its_dossiers_and_must_name_one(office: Office) -> None:
    listed = office.call("GET", "/society", token="firm").json()
    assert (listed["row_numbers"], listed["pages_number"]) == (2, None)
    ids = [each["society_id"] for each in listed["society_array"]]
    assert ids == [office.mono.society_id, office.multi.society_id]
    missing = office.call("GET", "/mad/exercices", token="firm", version="1.0.0")
    assert code_of(missing) == (400, "GBL10")
    headers = {"society-id": str(office.multi.society_id)}
    named = office.call("GET", "/mad/exercices", token="firm", headers=headers, version="1.0.0")
    assert named.json()[0]["additionalProducerProperties"] == {"lettering": "MULTI"}
    one = office.call("GET", "/society", token="firm", headers=headers).json()
    assert one["name"] == "Fonderie Exemple SAS"


def test_a_firm_never_sees_anothers_dossier(office: Office) -> None:
    tool = office.world.myunisoft
    other = tool.add_dossier(
        tool.add_firm("Autre Cabinet", "43377126800011"), "Autre", "826159303", []
    )
    headers = {"society-id": str(other.society_id)}
    assert code_of(office.call("GET", "/society", token="firm", headers=headers)) == (403, "DROIT1")
    assert office.call("GET", "/society", token="firm").json()["row_numbers"] == 2
    unknown = office.call("GET", "/society", token="firm", headers={"society-id": "1"})
    assert code_of(unknown) == (400, "SOCIETE16")


def test_the_key_says_what_it_opens_and_which_routes_the_partner_holds(office: Office) -> None:
    lettering = ("PUT", "/entry/lettering")
    office.world.myunisoft.change_partner(without=[lettering])
    found = office.call("GET", "/key/info", mode="extended").json()
    assert found["target"] == {
        "type": "api",
        "schemaId": office.firm.schema_id,
        "thirdPartyId": 44,
        "societyId": office.mono.society_id,
    }
    assert (found["canBeActivated"], found["isActivated"]) == (True, True)
    assert {"path": "/api/v1/mad/movements", "method": "get"} in found["routes"]
    assert {"path": "/api/v1/entry/lettering", "method": "put"} not in found["routes"]
    assert office.call("GET", "/key/info").json() == found["routes"]
    assert code_of(office.letter("AAA", 1, 2)) == (403, "ERR-FORBIDDEN-ROUTE")
    firm = office.call("GET", "/key/info", token="firm", mode="extended").json()
    assert (firm["target"]["type"], "societyId" in firm["target"]) == ("firm", False)


def test_an_unknown_route_is_refused_and_health_asks_for_no_key(office: Office) -> None:
    assert code_of(office.call("GET", "/elsewhere")) == (404, "ERR-HTTP")
    health = office.http.get("https://api.myunisoft.fr/api/partners/health")
    assert health.status_code == 200


def test_twenty_calls_pass_in_ten_seconds_and_each_key_counts_its_own(office: Office) -> None:
    office.world.myunisoft.rate_limit = 20
    answers = [office.call("GET", "/society") for _ in range(21)]
    assert [each.status_code for each in answers] == [200] * 20 + [429]
    assert code_of(answers[-1]) == (429, "ERR-TOO-MANY-REQUEST")
    told = [each.headers["x-rate-limit-remaining"] for each in answers]
    assert told == [str(left) for left in range(19, -1, -1)] + ["0"]
    assert {each.headers["x-rate-limit-total"] for each in answers} == {"20"}
    reset = float(answers[-1].headers["x-rate-limit-reset"])
    assert reset == office.world.now.timestamp() + 10
    assert office.call("GET", "/society", token="firm").status_code == 200
    office.world.advance(timedelta(seconds=9))
    assert office.call("GET", "/society").status_code == 429
    office.world.advance(timedelta(seconds=1))
    assert office.call("GET", "/society").status_code == 200


def test_the_customer_sees_what_a_key_was_used_for(office: Office) -> None:
    office.call("GET", "/society")
    office.call("GET", "/elsewhere")
    assert office.world.myunisoft.key_journal(office.tokens["mono"]) == [
        "200 GET /api/v1/society",
        "404 GET /api/v1/elsewhere",
    ]


def test_a_call_fails_as_a_test_asked_and_only_then(office: Office) -> None:
    office.world.myunisoft.fail_next("ERR-API-UNDER-MAINTENANCE", path="/society", count=2)
    codes = [office.call("GET", "/society").status_code for _ in range(3)]
    assert codes == [503, 503, 200]
    office.world.faults.schedule("revoked_token", path="/society")
    assert code_of(office.call("GET", "/society")) == (401, "ERR-API-TOKEN-NOT-FOUND")
    assert office.call("GET", "/key/info").status_code == 401
    office.world.faults.restore_tokens()
    assert office.call("GET", "/society").status_code == 200


def test_a_bare_list_loses_its_second_half_and_no_count_tells(office: Office) -> None:
    whole = office.mad("journals")
    office.world.faults.schedule("truncated_list", path="/mad/journals$")
    assert office.mad("journals") == whole[: len(whole) // 2]
    office.world.faults.schedule("miscounted_list", path="/society$")
    listed = office.call("GET", "/society", token="firm").json()
    assert (listed["row_numbers"], len(listed["society_array"])) == (2, 1)
    with pytest.raises(httpx.ReadError):
        office.world.faults.schedule("lost_reply", path="/society$")
        office.call("GET", "/society")
