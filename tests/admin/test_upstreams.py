from __future__ import annotations

import pytest

from laidian.admin.schema import CredentialCreate, CredentialEdit, UpstreamEdit
from laidian.admin.service.upstreams import (
    add_credential,
    delete_credential,
    delete_upstream,
    edit_credential,
    edit_upstream,
    list_circuits,
    list_models,
    list_probes,
    record_probe,
    reset_circuits,
    show_upstream,
)
from laidian.domain.circuit import Circuit, CircuitKey
from laidian.domain.upstream import Upstream
from laidian.errors import BadRequest, Conflict, NotFound
from laidian.store.circuits import write_circuit
from laidian.store.upstreams import PROBES_KEPT
from laidian.upstream.probe import Probed
from tests.admin.desk import NOW_MS, Desk

SECRET = "sk-provider-secret-1234567890"
OTHER = "sk-provider-other-0987654321"


def snapshot(desk: Desk, name: str = "openai") -> Upstream:
    return next(one for one in desk.reader().current().upstreams.values() if one.name == name)


def add(desk: Desk, **fields: object) -> None:
    desk.upstream("openai", **{"credentials": (CredentialCreate(api_key=SECRET),), **fields})


def test_a_credential_goes_in_sealed_and_comes_out_for_the_relay_only(desk: Desk) -> None:
    add(desk, proxy="socks5://user:hush@10.0.0.1:1080")
    shown = show_upstream(desk.connection, "openai", NOW_MS, {})
    assert (shown.base_url, shown.state, shown.proxy) == (
        "https://api.openai.com/v1",
        "up",
        "socks5://10.0.0.1:1080",
    )
    assert shown.credentials[0].label == "key-1"
    assert len(shown.credentials[0].fingerprint) == 8
    relay = snapshot(desk)
    assert relay.credentials[0].secret.reveal() == SECRET
    assert relay.proxy is not None
    assert relay.proxy.reveal() == "socks5://user:hush@10.0.0.1:1080"
    for hidden in (SECRET, "hush"):
        assert hidden not in repr(relay)
        assert hidden not in repr(shown)
        assert hidden.encode() not in desk.all_bytes()


def test_an_upstream_without_a_credential_says_so(desk: Desk) -> None:
    desk.upstream("openai")
    assert show_upstream(desk.connection, "openai", NOW_MS, {}).state == "no_credential"


def test_a_rotated_credential_replaces_the_old_one_in_the_same_row_and_closes_its_circuits(
    desk: Desk,
) -> None:
    add(desk)
    before = snapshot(desk)
    key = CircuitKey(before.id, before.credentials[0].id, "")
    desk.do(lambda c: write_circuit(c, key, Circuit(1, NOW_MS + 60_000, "401"), NOW_MS))
    shown = desk.do(
        lambda c: edit_credential(
            c, desk.vault, "openai", "key-1", CredentialEdit(api_key=f"{OTHER}\n"), now_ms=NOW_MS, busy={}
        )
    )
    assert shown.circuits == ()
    after = snapshot(desk)
    assert after.credentials[0].id == before.credentials[0].id
    assert after.credentials[0].secret.reveal() == OTHER


def test_several_credentials_are_labelled_disabled_and_erased_one_by_one(desk: Desk) -> None:
    add(desk)
    for change in (CredentialCreate(api_key=OTHER), CredentialCreate(api_key="third-key", label="spare")):
        desk.do(
            lambda c, change=change: add_credential(c, desk.vault, "openai", change, now_ms=NOW_MS, busy={})
        )
    edit = CredentialEdit(enabled=False, label="old")
    desk.do(lambda c: edit_credential(c, desk.vault, "openai", "key-1", edit, now_ms=NOW_MS, busy={}))
    shown = desk.do(lambda c: delete_credential(c, "openai", "spare", now_ms=NOW_MS, busy={}))
    assert [(one.label, one.enabled) for one in shown.credentials] == [("old", False), ("key-2", True)]
    assert [one.secret.reveal() for one in snapshot(desk).credentials] == [OTHER]
    with pytest.raises(NotFound, match="Did you mean `key-2`"):
        desk.do(lambda c: delete_credential(c, "openai", "key-3", now_ms=NOW_MS, busy={}))
    again = CredentialCreate(api_key="x", label="old")
    with pytest.raises(Conflict):
        desk.do(lambda c: add_credential(c, desk.vault, "openai", again, now_ms=NOW_MS, busy={}))


@pytest.mark.parametrize("secret", ["", "  ", "two words", "schlüssel", "a\x00b", "a\r\nb"])
def test_a_credential_that_no_header_can_carry_is_refused_without_being_repeated(
    desk: Desk, secret: str
) -> None:
    with pytest.raises(BadRequest) as refusal:
        add(desk, credentials=(CredentialCreate(api_key=secret),))
    assert refusal.value.param == "api_key"
    assert not secret.strip() or secret not in refusal.value.message


def test_disabling_drains_and_the_rest_of_the_upstream_stays(desk: Desk) -> None:
    add(desk, models=("gpt-*",), priority=3, max_concurrent=8, proxy="http://p:3128")
    edit = UpstreamEdit(enabled=False)
    shown = desk.do(lambda c: edit_upstream(c, desk.vault, "openai", edit, now_ms=NOW_MS, busy={1: 2}))
    assert (shown.state, shown.in_flight, shown.models, shown.priority) == ("disabled", 2, ("gpt-*",), 3)
    assert (shown.max_concurrent, shown.proxy) == (8, "http://p:3128")
    assert not snapshot(desk).enabled
    edit = UpstreamEdit(proxy="", max_concurrent=None, base_url="http://127.0.0.1:9", name="local")
    shown = desk.do(lambda c: edit_upstream(c, desk.vault, "openai", edit, now_ms=NOW_MS, busy={}))
    assert (shown.name, shown.proxy, shown.max_concurrent, shown.base_url) == (
        "local",
        "",
        None,
        "http://127.0.0.1:9/v1",
    )
    assert snapshot(desk, "local").proxy is None


def test_a_deleted_upstream_loses_its_secrets_and_its_name_is_free(desk: Desk) -> None:
    add(desk, proxy="http://user:hush@p:3128")
    desk.do(lambda c: delete_upstream(c, "openai", now_ms=NOW_MS, busy={}))
    assert desk.reader().current().upstreams == {}
    rows = desk.connection.execute(
        "SELECT sealed FROM credentials UNION ALL SELECT proxy_sealed FROM upstreams"
    ).fetchall()
    assert rows == [(None,), (None,)]
    add(desk)


def test_an_upstream_that_a_group_names_is_not_deleted_since_none_would_mean_all(desk: Desk) -> None:
    add(desk)
    desk.group("team", upstreams="openai")
    with pytest.raises(Conflict, match="used by the group team"):
        desk.do(lambda c: delete_upstream(c, "openai", now_ms=NOW_MS, busy={}))


@pytest.mark.parametrize("name", ["a,b", "a+b", "a/b", ""])
def test_an_upstreams_name_keeps_clear_of_what_orders_upstreams(desk: Desk, name: str) -> None:
    with pytest.raises(BadRequest):
        desk.upstream(name)


def test_a_probe_is_kept_and_its_models_are_what_the_upstream_serves(desk: Desk) -> None:
    add(desk, aliases={"fast": "gpt-5.4-mini"})
    version = desk.version()
    good = Probed(True, 200, 31, ("gpt-5.4", "unheard-of"), "")
    desk.do(lambda c: record_probe(c, "openai", good, now_ms=NOW_MS))
    assert desk.version() == version + 1
    desk.do(lambda c: record_probe(c, "openai", good, now_ms=NOW_MS + 1))
    assert desk.version() == version + 1, "the same models are no change"
    bad = Probed(False, 401, 12, (), "it answered 401: the credential is not accepted")
    desk.do(lambda c: record_probe(c, "openai", bad, now_ms=NOW_MS + 2))
    shown = show_upstream(desk.connection, "openai", NOW_MS, {})
    assert shown.discovered == 2, "a failed probe says nothing about models"
    assert shown.last_probe is not None
    assert (shown.last_probe.ok, shown.last_probe.status, shown.last_probe.models) == (False, 401, None)
    assert [probe.ok for probe in list_probes(desk.connection, "openai", 2)] == [False, True]
    models = {
        one.model: (one.known_from, one.priced)
        for one in list_models(desk.reader().current(), "openai", NOW_MS)
    }
    assert models == {"gpt-5.4": ("probe", True), "unheard-of": ("probe", False), "fast": ("alias", False)}


def test_the_history_of_probes_has_an_end(desk: Desk) -> None:
    add(desk)
    probed = Probed(False, None, 1, (), "no")

    def many(connection: object) -> None:
        for number in range(PROBES_KEPT + 5):
            record_probe(connection, "openai", probed, now_ms=NOW_MS + number)  # pyright: ignore[reportArgumentType]

    desk.do(many)
    assert len(list_probes(desk.connection, "openai", 5_000)) == PROBES_KEPT


def test_circuits_are_shown_with_what_they_concern_and_reset(desk: Desk) -> None:
    add(desk)
    desk.upstream("other", credentials=(CredentialCreate(api_key=OTHER),))
    openai, other = snapshot(desk), snapshot(desk, "other")
    for key, until_ms in (
        (CircuitKey(openai.id, 0, "gpt-5.4"), NOW_MS + 5_000),
        (CircuitKey(openai.id, openai.credentials[0].id, ""), NOW_MS - 1),
        (CircuitKey(other.id, 0, "gpt-5.5"), NOW_MS + 5_000),
    ):
        desk.do(
            lambda c, key=key, until=until_ms: write_circuit(
                c, key, Circuit(3, until, "it answered 500"), NOW_MS
            )
        )
    found = {
        (one.upstream, one.credential, one.model): one.state for one in list_circuits(desk.connection, NOW_MS)
    }
    assert found == {
        ("openai", "", "gpt-5.4"): "open",
        ("openai", "key-1", ""): "half_open",
        ("other", "", "gpt-5.5"): "open",
    }
    assert show_upstream(desk.connection, "openai", NOW_MS, {}).state == "resting"
    version = desk.version()
    assert desk.do(lambda c: reset_circuits(c, "openai")).reset == 2
    assert desk.version() > version, "the other workers have to notice"
    assert [one.upstream for one in list_circuits(desk.connection, NOW_MS)] == ["other"]
    assert desk.do(lambda c: reset_circuits(c, None)).reset == 1
    with pytest.raises(NotFound):
        desk.do(lambda c: reset_circuits(c, "nobody"))
