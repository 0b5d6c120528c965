"""A quota in lines: its limits with a forecast each, who spends it, and what a key that starts now would have."""

from __future__ import annotations

import datetime

from laidian.admin.schema import Credit, Key, Page, Quota
from tui.cells import Cell, Shown, fitted
from tui.chart import bar
from tui.forecast import Forecast, of_quota, of_window
from tui.idiom import Idiom
from tui.limits import limit_line, window_line, window_name
from tui.text import count, dollars, moment, short_dollars

PAYMENTS = 5


def near_lines(idiom: Idiom, quota: Quota, keys: Page[Key], payments: tuple[Credit, ...]) -> list[Shown]:
    words = idiom.words.quotas
    lines: list[Shown] = []
    for window in quota.windows:
        lines += [window_line(idiom, window), will(idiom, of_window(window, idiom.now))]
    if quota.kind == "prepaid":
        lines.append(limit_line(idiom, "", quota.spent_usd, quota.credited_usd or "0", quota.left_usd))
        lines.append(will(idiom, of_quota(quota, idiom.now)))
    if quota.kind == "unlimited":
        lines.append(will(idiom, Forecast("endless")))
    lines.append("")
    if not keys.items:
        lines.append(Cell(words.no_keys, "dim"))
    else:
        lines.append(Cell(words.keys_on_it, "title"))
        most = max(float(one.spent_usd) for one in keys.items)
        for one in keys.items:
            share = float(one.spent_usd) / most if most else 0.0
            spent = fitted(Cell(short_dollars(one.spent_usd)), 9, right=True)
            lines.append((*fitted(Cell(one.name), 22), *spent, Cell(f"  {bar(share, 12)}", "accent")))
        more = (keys.total or 0) - len(keys.items)
        if more > 0:
            lines.append(Cell(words.keys_more.format(count=count(more)), "dim"))
    if payments:
        lines += ["", Cell(words.credits, "title")]
        for one in payments[:PAYMENTS]:
            amount = fitted(Cell(dollars(one.amount_usd)), 12, right=True)
            lines.append((Cell(one.at[:10], "dim"), *amount, Cell(f"  {one.note}")))
    return lines


def will(idiom: Idiom, forecast: Forecast) -> Cell:
    """Below its limit, and set in as far."""
    words = idiom.words.quotas
    if forecast.kind == "ends" and forecast.at is not None:
        text = words.will_end.format(at=_at(forecast.at), time=idiom.until(forecast.at.isoformat()))
        soon = forecast.at - idiom.now < datetime.timedelta(days=1)
        return Cell(f"    {text}", "warn" if soon else "dim")
    if forecast.kind == "lasts":
        return Cell(f"    {words.will_last.format(percent=forecast.percent)}", "dim")
    texts = {"unused": words.will_unused, "gone": words.will_gone, "endless": words.will_endless}
    return Cell(f"    {texts.get(forecast.kind, '')}", "bad" if forecast.kind == "gone" else "dim")


def _at(at: datetime.datetime) -> str:
    return f"{at.astimezone(datetime.UTC):%Y-%m-%d %H:%M}"


def simulated(idiom: Idiom, quota: Quota) -> list[Shown]:
    """What a key that starts now has: sentences for the operator's own customer."""
    words = idiom.words.quotas
    if quota.state in ("disabled", "expired"):
        return [Cell(words.now_refused.format(state=idiom.state(quota.state).text), "bad")]
    lines: list[Shown] = []
    if quota.kind == "unlimited":
        lines.append(words.now_unlimited)
    if quota.kind == "prepaid":
        lines.append(words.now_prepaid.format(left=dollars(quota.left_usd or "0")))
    for window in quota.windows:
        name, limit = window_name(idiom, window.kind), dollars(window.limit_usd)
        resets = moment(window.resets_at)
        if resets is None:
            lines.append(words.now_opens.format(window=name, limit=limit))
            continue
        lines.append(
            words.now_window.format(
                window=name, left=dollars(window.left_usd), limit=limit, at=_at(resets),
                time=idiom.until(window.resets_at),
            )
        )  # fmt: skip
        lines.append(Cell(f"  {words.now_then.format(limit=limit)}", "dim"))
    if quota.keys:
        lines.append(Cell(words.now_shared.format(count=count(quota.keys)), "dim"))
    if (expires := moment(quota.expires_at)) is not None:
        lines.append(Cell(words.now_expires.format(at=_at(expires)), "warn"))
    return lines
