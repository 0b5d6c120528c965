"""The words on screen, in English and simplified Chinese: one file per screen, both languages side by side.

Add a screen's words as a file with a `Section`, an `EN` and a `ZH`, and name it in `Words` and in both catalogues below. A test
keeps the two alike and the labels within their cells.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tui.words import (
    accounts,
    created,
    dashboard,
    doctor,
    firstrun,
    form,
    frame,
    groups,
    keys,
    live,
    models,
    quotas,
    request,
    settings,
    states,
    table,
    upstreams,
    usage,
)
from tui.words.section import Language

__all__ = ["CATALOGUES", "CHINESE", "ENGLISH", "Language", "Words", "described", "language_of"]


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """One language, by section."""

    frame: frame.FrameWords
    states: states.StateWords
    table: table.TableWords
    form: form.FormWords
    created: created.CreatedWords
    accounts: accounts.AccountsWords
    firstrun: firstrun.FirstRunWords
    dashboard: dashboard.DashboardWords
    keys: keys.KeysWords
    groups: groups.GroupsWords
    quotas: quotas.QuotasWords
    request: request.RequestWords
    upstreams: upstreams.UpstreamsWords
    models: models.ModelsWords
    live: live.LiveWords
    usage: usage.UsageWords
    doctor: doctor.DoctorWords
    settings: settings.SettingsWords


ENGLISH = Words(
    frame=frame.EN,
    states=states.EN,
    table=table.EN,
    form=form.EN,
    created=created.EN,
    accounts=accounts.EN,
    firstrun=firstrun.EN,
    dashboard=dashboard.EN,
    keys=keys.EN,
    groups=groups.EN,
    quotas=quotas.EN,
    request=request.EN,
    upstreams=upstreams.EN,
    models=models.EN,
    live=live.EN,
    usage=usage.EN,
    doctor=doctor.EN,
    settings=settings.EN,
)
CHINESE = Words(
    frame=frame.ZH,
    states=states.ZH,
    table=table.ZH,
    form=form.ZH,
    created=created.ZH,
    accounts=accounts.ZH,
    firstrun=firstrun.ZH,
    dashboard=dashboard.ZH,
    keys=keys.ZH,
    groups=groups.ZH,
    quotas=quotas.ZH,
    request=request.ZH,
    upstreams=upstreams.ZH,
    models=models.ZH,
    live=live.ZH,
    usage=usage.ZH,
    doctor=doctor.ZH,
    settings=settings.ZH,
)
CATALOGUES: Mapping[Language, Words] = {"en": ENGLISH, "zh": CHINESE}


def described(words: Words, name: str) -> str:
    """A text by its place, as the bindings name theirs: `table.open`. Raises AttributeError: there is none."""
    section, _, field = name.partition(".")
    text: str = getattr(getattr(words, section), field)
    return text


def language_of(environment: Mapping[str, str]) -> Language:
    """LAIDIAN_LANG, then the usual variables; English where none speaks of Chinese."""
    for name in ("LAIDIAN_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"
