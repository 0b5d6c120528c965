from __future__ import annotations

import pytest

from laidian.admin.schema import KeyQuery
from laidian.admin.service.groups import list_groups
from laidian.admin.service.keys import list_keys
from laidian.admin.service.quotas import list_quotas
from laidian.admin.service.upstreams import list_upstreams
from laidian.domain.group import CAPABILITIES
from laidian.domain.key import digest
from laidian.errors import BadRequest
from tests.admin.desk import NOW_MS, Desk


def test_a_first_start_without_provider_keys_makes_what_a_key_needs_and_no_key(bare_desk: Desk) -> None:
    done = bare_desk.start()
    assert done is not None
    assert (done.price_book, done.group, done.quota, done.upstreams, done.key) == (
        "genai-prices 0.2.3",
        "default",
        "unlimited",
        (),
        None,
    )
    (group,) = list_groups(bare_desk.connection)
    assert group.capabilities == CAPABILITIES
    (quota,) = list_quotas(bare_desk.connection, NOW_MS)
    assert quota.kind == "unlimited"


def test_provider_keys_in_the_environment_become_upstreams_and_one_key(bare_desk: Desk) -> None:
    done = bare_desk.start(
        {
            "OPENAI_API_KEY": "sk-openai-environment\n",
            "OPENAI_BASE_URL": "http://127.0.0.1:9000",
            "GEMINI_API_KEY": "gemini-environment",
            "GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:9001",
            "ANTHROPIC_API_KEY": "",
        }
    )
    assert done is not None
    assert done.upstreams == ("openai", "gemini")
    assert done.key is not None
    assert digest(done.key.secret) in bare_desk.reader().current().keys
    found = {one.name: one.base_url for one in list_upstreams(bare_desk.connection, NOW_MS, {})}
    assert found == {"openai": "http://127.0.0.1:9000/v1", "gemini": "http://127.0.0.1:9001/v1beta"}
    for secret in ("sk-openai-environment", "gemini-environment", done.key.secret):
        assert secret not in repr(done)
        assert secret.encode() not in bare_desk.all_bytes()


def test_a_second_start_changes_nothing(bare_desk: Desk) -> None:
    bare_desk.start()
    version = bare_desk.version()
    assert bare_desk.start({"OPENAI_API_KEY": "sk-later"}) is None
    assert bare_desk.version() == version
    assert list_upstreams(bare_desk.connection, NOW_MS, {}) == ()


def test_a_variable_that_cannot_be_used_is_named_and_nothing_is_written(bare_desk: Desk) -> None:
    with pytest.raises(BadRequest, match="OPENAI_BASE_URL") as refusal:
        bare_desk.start({"OPENAI_API_KEY": "sk-openai-environment", "OPENAI_BASE_URL": "ftp://h"})
    assert "sk-openai-environment" not in refusal.value.message
    assert list_groups(bare_desk.connection) == ()
    with pytest.raises(BadRequest, match="GEMINI_API_KEY"):
        bare_desk.start({"GEMINI_API_KEY": "two words"})
    assert bare_desk.start() is not None
    assert list_keys(bare_desk.connection, KeyQuery(), limit=9, now_ms=NOW_MS).items == ()
