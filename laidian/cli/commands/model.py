"""`laidian model`: what can be asked for, from whom, at what price, and why not."""

from __future__ import annotations

import click

from laidian.admin.schema import Model, Price, ServedModel
from laidian.cli.call import Call, ListCommand, Noun, with_call
from laidian.cli.output import put_list
from laidian.cli.reach import ask
from laidian.cli.table import Column
from laidian.cli.text import dollars


@click.group(cls=Noun)
def model() -> None:
    """Models: what can be asked for now, and why not. Alone: `list`.

    \b
    laidian model
    laidian model list --unavailable
    """


def _rate(price: Price | None, unit: str) -> str:
    for rate in price.rates if price else ():
        if rate.unit == unit and rate.service_tier == "default" and not rate.above_input_tokens:
            return dollars(rate.usd_per_million)
    return "-"


MODELS: tuple[Column[Model], ...] = (
    Column("model", lambda one: one.model),
    Column("state", lambda one: one.state, colored=True),
    Column("in", lambda one: _rate(one.price, "input"), right=True),
    Column("out", lambda one: _rate(one.price, "output"), right=True),
    Column("served by", lambda one: ", ".join(server.upstream for server in one.served_by) or "-"),
    Column("groups", lambda one: ", ".join(one.groups) or "-", optional=True),
    Column("24 h", lambda one: str(one.requests_24h), right=True, optional=True),
    Column("refused", lambda one: str(one.refused_24h), right=True, optional=True),
    Column("why not", lambda one: one.reason or "-"),
)


@model.command("list", cls=ListCommand)
@click.option("--unavailable", is_flag=True, help="Only those that cannot be had.")
@with_call
def list_models(call: Call, unavailable: bool) -> None:
    """List every model that some upstream serves, and those that were asked for in vain since yesterday.

    \b
    laidian model list
    laidian model list --unavailable --json
    """
    models = ask(call, lambda client: client.models())
    chosen = [one for one in models if not unavailable or one.state != "up"]
    put_list(
        call,
        Model,
        chosen,
        MODELS,
        empty="no model is known yet. Ask the upstreams: laidian upstream probe --all",
    )


def put_served(call: Call, models: tuple[ServedModel, ...], *, everything: bool) -> None:
    """What a group's keys can have, or all of it with the reasons."""
    columns: tuple[Column[ServedModel], ...] = (
        Column("model", lambda one: one.model),
        Column("state", lambda one: "up" if one.available else one.gate, colored=True),
        Column("in", lambda one: dollars(one.input_usd), right=True),
        Column("out", lambda one: dollars(one.output_usd), right=True),
        Column("served by", lambda one: one.served_by or "-"),
        Column("why not", lambda one: one.reason or "-"),
    )
    chosen = [one for one in models if everything or one.available]
    put_list(
        call,
        ServedModel,
        chosen,
        columns if everything else columns[:-1],
        empty="no model can be had now. --all says why.",
    )
