"""What `[pages]` refuses at the start, and what it warns of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from laidian.config import ConfigProblem, load_config
from tests.pages.conftest import ask
from tests.served import Place, Setup, served
from tests.simulated_provider import SimulatedProvider


@pytest.mark.parametrize(
    "brand", ["", "a'b", 'a"b', "$(id)", "a`b", "<b>", "x" * 65, "{key}", "a\\b", "a\nb"]
)
def test_a_name_that_would_break_a_command_is_refused_with_its_place(tmp_path: Path, brand: str):
    (tmp_path / "config.toml").write_text(f"[pages]\nbrand = {json.dumps(brand)}\n")
    with pytest.raises(ConfigProblem, match="brand") as refused:
        load_config(None, {}, tmp_path)
    assert "pages" in refused.value.message


@pytest.mark.parametrize("line", ['models = "secret"', 'docs = "keyed"', 'language = "fr"', 'brands = "x"'])
def test_a_setting_that_means_nothing_is_refused(tmp_path: Path, line: str):
    (tmp_path / "config.toml").write_text(f"[pages]\n{line}\n")
    with pytest.raises(ConfigProblem):
        load_config(None, {}, tmp_path)


def test_a_group_that_does_not_exist_is_warned_of(provider: SimulatedProvider):
    with served(provider, setup=Setup(config='[pages]\ngroup = "nobody"\n')) as laidian:
        assert ask(laidian, "/models.json").json()["data"] == []
        assert "'nobody', which is no group here" in laidian.log()


def test_only_the_named_group_is_shown(provider: SimulatedProvider):
    place = Place("sim", "openai", "/v1", ("gpt-5.4", "gpt-5.5"))
    with served(provider, setup=Setup(upstreams=(place,), config='[pages]\ngroup = "small"\n')) as laidian:
        laidian.write(
            "INSERT INTO groups (id, name, capabilities, allow, multiplier_ppm, created_at_ms) "
            "VALUES (2, 'small', '[\"chat\"]', '[\"gpt-5.5\"]', 1500000, 0)"
        )
        (model,) = ask(laidian, "/models.json").json()["data"]
        assert (model["id"], model["multipliers"]) == ("gpt-5.5", ["1.5x"])
        assert "1.5x" in ask(laidian, "/").text
