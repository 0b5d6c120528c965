from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from laidian.admin.schema import CredentialCreate, GroupEdit, PriceSet, Provisioned, UpstreamEdit
from laidian.admin.service.groups import delete_group, edit_group, show_group
from laidian.admin.service.prices import find_price, list_prices, retire_prices, set_price
from laidian.admin.service.provision import provision
from laidian.admin.service.upstreams import add_credential, delete_upstream, edit_upstream, show_upstream
from laidian.config import Config, ConfigProblem, GroupEntry, PriceEntry, UpstreamEntry
from laidian.errors import Conflict
from tests.admin.desk import NOW_MS, Desk

SECRET = "sk-from-the-file-1234"
NOTHING = Provisioned(created=(), updated=(), disabled=())
UPSTREAM = UpstreamEntry(
    name="openai",
    kind="openai",
    api_key=SECRET,
    aliases={"fast": "gpt-5.4-mini"},
    proxy="http://u:hush@p:3128",
)
GROUP = GroupEntry(name="team", upstreams="openai", multiplier="1.2", requests_per_minute=60)
PRICE = PriceEntry(model="house", rates={"input": "1", "output": "2"})
WHOLE = Config(upstream=(UPSTREAM,), group=(GROUP,), price=(PRICE,))


def run(
    desk: Desk, config: Config, environment: dict[str, str] | None = None, now_ms: int = NOW_MS
) -> Provisioned:
    return desk.do(lambda c: provision(c, desk.vault, config, environment=environment or {}, now_ms=now_ms))


def entry(**changes: Any) -> UpstreamEntry:
    return UpstreamEntry(**{"name": "openai", "kind": "openai", "api_key": SECRET, **changes})


def test_the_file_makes_upstreams_groups_and_prices(desk: Desk) -> None:
    done = run(desk, WHOLE)
    assert done.created == ("upstream openai", "group team", "price house")
    upstream = show_upstream(desk.connection, "openai", NOW_MS, {})
    assert (upstream.from_config, upstream.aliases, upstream.proxy) == (
        True,
        {"fast": "gpt-5.4-mini"},
        "http://p:3128",
    )
    group = show_group(desk.connection, "team")
    assert (group.from_config, group.upstreams, group.multiplier) == (True, "openai", "1.2x")
    (price,) = list_prices(desk.connection)
    assert (price.origin, price.effective_from) == ("config", None)
    assert (
        find_price(desk.connection, desk.reader().current(), "house", NOW_MS).reason
        == "It is set in config.toml."
    )
    (relay,) = desk.reader().current().upstreams.values()
    assert relay.credentials[0].secret.reveal() == SECRET


def test_a_start_without_changes_tells_no_worker_anything(desk: Desk) -> None:
    run(desk, WHOLE)
    version = desk.version()
    assert run(desk, WHOLE, now_ms=NOW_MS + 5_000) == NOTHING
    assert desk.version() == version


@pytest.mark.parametrize(
    "changed",
    [
        entry(api_key="sk-another-one"),
        entry(aliases={}),
        entry(proxy="http://u:other@p:3128"),
        entry(base_url="http://127.0.0.1:9"),
        entry(kind="compatible", base_url="http://127.0.0.1:9"),
        entry(max_concurrent=3),
        entry(enabled=False),
    ],
)
def test_what_changed_in_the_file_is_brought_up_to_date(desk: Desk, changed: UpstreamEntry) -> None:
    run(desk, WHOLE)
    version = desk.version()
    changes = Config(upstream=(changed,), group=(GROUP,), price=(PRICE,))
    assert run(desk, changes).updated == ("upstream openai",)
    assert desk.version() > version
    (relay,) = desk.reader().current().upstreams.values()
    assert (relay.kind, relay.aliases, relay.enabled) == (changed.kind, changed.aliases, changed.enabled)
    assert relay.credentials[0].secret.reveal() == changed.api_key
    assert run(desk, changes) == NOTHING


def test_groups_and_prices_are_brought_up_to_date_too(desk: Desk) -> None:
    run(desk, WHOLE)
    group = GroupEntry(name="team", upstreams="openai", deny=("*-pro",), capabilities=("chat",))
    price = PriceEntry(model="house", rates={"input": "3", "output": "2"})
    config = Config(upstream=(UPSTREAM,), group=(group,), price=(price,))
    assert run(desk, config).updated == ("group team", "price house")
    assert show_group(desk.connection, "team").deny == ("*-pro",)
    assert [one.rates[0].usd_per_million for one in list_prices(desk.connection)] == ["3.00"]
    assert run(desk, config) == NOTHING
    assert run(desk, WHOLE).updated == ("group team", "price house")


def test_what_the_file_provides_is_changed_only_there(desk: Desk) -> None:
    run(desk, WHOLE)
    changes = (
        lambda c: edit_upstream(c, desk.vault, "openai", UpstreamEdit(enabled=False), now_ms=NOW_MS, busy={}),
        lambda c: delete_upstream(c, "openai", now_ms=NOW_MS, busy={}),
        lambda c: add_credential(
            c, desk.vault, "openai", CredentialCreate(api_key="x"), now_ms=NOW_MS, busy={}
        ),
        lambda c: edit_group(c, "team", GroupEdit(enabled=False)),
        lambda c: delete_group(c, "team", now_ms=NOW_MS),
        lambda c: set_price(c, PriceSet(model="house", rates={"input": "9"}), now_ms=NOW_MS),
        lambda c: retire_prices(c, "house", now_ms=NOW_MS),
    )
    version = desk.version()
    for change in changes:
        with pytest.raises(Conflict, match=r"comes from config\.toml"):
            desk.do(change)
    assert desk.version() == version


def test_what_vanished_from_the_file_is_disabled_and_the_operators_again(desk: Desk) -> None:
    run(desk, WHOLE)
    desk.key("alice", group="team")
    done = run(desk, Config())
    assert set(done.disabled) == {"upstream openai", "group team", "price house"}
    upstream = show_upstream(desk.connection, "openai", NOW_MS, {})
    assert (upstream.enabled, upstream.from_config) == (False, False)
    assert len(upstream.credentials) == 1
    assert not show_group(desk.connection, "team").enabled
    assert list_prices(desk.connection) == ()
    assert run(desk, Config()) == NOTHING
    desk.do(lambda c: edit_group(c, "team", GroupEdit(enabled=True)))
    run(desk, WHOLE)
    assert show_upstream(desk.connection, "openai", NOW_MS, {}).enabled


def test_the_file_takes_over_what_the_operator_had_made(desk: Desk) -> None:
    desk.upstream("openai", credentials=(CredentialCreate(api_key="sk-by-hand"),))
    desk.group("team")
    desk.do(lambda c: set_price(c, PriceSet(model="house", rates={"input": "9"}), now_ms=NOW_MS))
    assert set(run(desk, WHOLE).updated) == {"upstream openai", "group team", "price house"}
    upstream = show_upstream(desk.connection, "openai", NOW_MS, {})
    assert upstream.from_config
    assert [one.label for one in upstream.credentials] == ["config.toml"]
    assert [one.origin for one in list_prices(desk.connection)] == ["config"]


def test_a_credential_comes_from_the_environment_or_a_file(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("sk-in-a-file\n")
    config = Config(
        upstream=(
            entry(name="a", api_key="", api_key_env="KEY"),
            entry(name="b", api_key="", api_key_file=str(file)),
        )
    )
    run(desk, config, {"KEY": " sk-in-the-environment "})
    secrets = {
        one.name: one.credentials[0].secret.reveal() for one in desk.reader().current().upstreams.values()
    }
    assert secrets == {"a": "sk-in-the-environment", "b": "sk-in-a-file"}


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (
            Config(upstream=(entry(api_key_env="KEY"),)),
            "upstream `openai`: api_key and api_key_env are both given",
        ),
        (Config(upstream=(entry(api_key="", api_key_env="KEY"),)), "the environment variable KEY is not set"),
        (Config(upstream=(entry(api_key="", api_key_file="/nonexistent/key"),)), "No such file"),
        (
            Config(upstream=(entry(base_url="http://169.254.169.254"),)),
            "upstream `openai`: The host in base_url",
        ),
        (Config(upstream=(entry(), entry())), "two entries for the upstream `openai`"),
        (
            Config(group=(GroupEntry(name="team", upstreams="nobody"),)),
            "group `team`: There is no upstream `nobody`",
        ),
        (Config(group=(GroupEntry(name="team", multiplier="much"),)), "group `team`"),
        (Config(price=(PriceEntry(model="m", rates={"inptu": "1"}),)), "Did you mean `input`"),
    ],
)
def test_an_entry_that_cannot_be_used_is_named_and_nothing_is_written(
    desk: Desk, config: Config, words: str
) -> None:
    version = desk.version()
    with pytest.raises(ConfigProblem) as refusal:
        run(desk, config)
    assert words in refusal.value.message
    assert SECRET not in refusal.value.message
    assert desk.version() == version
