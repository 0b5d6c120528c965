"""What goes wrong with the admin API, as one exception."""

from __future__ import annotations

from laidian.errors import LaidianError

UNREACHABLE = "server_unreachable"
"""Code of an `AdminError` without an answer."""
LOST = "answer_lost"
"""Code of an `AdminError` whose request went out, so that it may have been carried out."""
FOREIGN = "not_the_admin_api"
"""Code of an `AdminError` for an answer that LaiDian cannot have written."""


class AdminError(LaidianError):
    """The one thing that goes wrong with the admin API. `code` and `message` are the server's own where it gave any."""

    def __init__(self, status: int, code: str, message: str, *, param: str | None = None) -> None:
        super().__init__(message, code=code, param=param)
        self.status = status
        """HTTP status; 0: no answer came."""

    @property
    def away(self) -> bool:
        """No answer, or a server that is stopping: worth another try later."""
        return self.status == 0 or self.code == "server_stopping"
