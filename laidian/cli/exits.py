"""What the exit codes mean, and which failure ends with which. `laidian help exit-codes` shows this table."""

from __future__ import annotations

import enum

from laidian.config import ConfigProblem
from laidian.errors import LaidianError


class Exit(enum.IntEnum):
    """gh's and sysexits' habits where they agree; 70 is EX_SOFTWARE, 130 is 128 + SIGINT."""

    meaning: str

    def __new__(cls, code: int, meaning: str) -> Exit:
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member

    DONE = 0, "done"
    FAILED = 1, "failed; the reason is on stderr"
    USAGE = 2, "wrong usage: an option, an argument or a value, or a confirmation that nobody could give"
    PROBLEMS = (
        3,
        "a check found problems (audit, status, doctor, reconcile, setup, key test, upstream probe, price show, config check)",
    )
    UNAUTHORISED = 4, "not authorised: the admin token is missing, wrong or not accepted from here"
    UNREACHABLE = 5, "the server does not answer; nothing is written behind its back"
    CONFLICT = 6, "conflict: the name exists, or the thing is in use"
    STORAGE = 7, "the data folder or the database cannot be used"
    BUG = 70, "a bug in LaiDian; the file with its traceback is named on stderr"
    INTERRUPTED = 130, "interrupted"


class Declined(Exception):
    """The person at the terminal did not confirm. Nothing was done."""


_BY_STATUS = {
    0: Exit.UNREACHABLE,
    400: Exit.USAGE,
    401: Exit.UNAUTHORISED,
    403: Exit.UNAUTHORISED,
    409: Exit.CONFLICT,
    500: Exit.BUG,
}
_BY_CODE = {
    "storage_unavailable": Exit.STORAGE,
    "server_stopping": Exit.UNREACHABLE,
    "not_the_admin_api": Exit.UNREACHABLE,
    "too_many_failures": Exit.UNAUTHORISED,
}


def exit_of(error: LaidianError) -> Exit:
    """By code, then by status: the same for a refusal of the API and for one raised in this process."""
    if isinstance(error, ConfigProblem):
        return Exit.FAILED
    return _BY_CODE.get(error.code) or _BY_STATUS.get(error.status, Exit.FAILED)
