"""The texts of `laidian help TOPIC`."""

from __future__ import annotations

from collections.abc import Callable

from laidian.cli.exits import Exit


def exit_codes() -> str:
    lines = "\n".join(f"{code.value:>5}  {code.meaning}" for code in Exit)
    return f"Exit codes\n\n{lines}"


def environment() -> str:
    return """Environment

  LAIDIAN_DATA               data folder, where --data is not given
  LAIDIAN_CONFIG             configuration file, where --config is not given
  LAIDIAN_SERVER             another machine's server, where neither --server nor --data is given
  LAIDIAN_PROFILE            a server you logged in to, where none of --profile, --server and --data is given
  LAIDIAN_ADMIN_TOKEN_FILE   its admin token's file, where --admin-token-file is not given
  LAIDIAN_ADMIN_TOKEN        the token itself, where no file is named
  LAIDIAN_LANG               en or zh, for the dashboard; LC_ALL, LC_MESSAGES and LANG after it
  NO_COLOR                   any value: no colours
  COLUMNS                    width of tables, also where stdout is not a terminal
  XDG_CONFIG_HOME            laidian/profiles.toml in it holds what `laidian login` keeps; ~/.config without it
  XDG_DATA_HOME              the default data folder is laidian in it; ~/.local/share/laidian without it

The first `laidian serve` also looks at OPENAI_API_KEY, GEMINI_API_KEY and ANTHROPIC_API_KEY, and at OPENAI_BASE_URL,
GEMINI_BASE_URL and ANTHROPIC_BASE_URL, and makes an upstream of what it finds."""


def formatting() -> str:
    return """Formatting

stdout is data, stderr is talk; -q silences the talk. On an error stdout stays empty.

  --json         one JSON document: a list of objects, or one object, with the admin API's field names;
                 `usage tail` and `usage export` write one object a line
  --csv          the same fields, lists only; lists of words with commas, other nested values as JSON
  --fields A,B   only these fields, in this order, in any form

Money is exact decimal text in US dollars ("0.018622"), times are ISO 8601 in UTC, a missing value is null.
Tables are for people and may change: times are relative with the UTC time behind; on a terminal they are fitted to its
width, a cut text ends with an ellipsis, columns that do not fit are left out. Into a pipe nothing is cut.

Where a moment is asked for: ISO 8601 ("2026-11-22T10:00:00Z"), a date, or a duration ("30d", "12h", "90m"), which goes
forward for --expires and back for --since and --until. `none` or `never` removes a value in an edit."""


TOPICS: dict[str, Callable[[], str]] = {
    "exit-codes": exit_codes,
    "environment": environment,
    "formatting": formatting,
}
