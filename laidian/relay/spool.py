"""A request body that is too large to be held: on disk while it is needed, in memory only in slices.

The file has no name, so nothing of it is left behind whatever happens to the process.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator, Generator

from laidian.protocol.form import Edit, Form, Part

IN_MEMORY_BYTES = 256 * 1024
"""Smaller bodies never see the disk."""

SLICE_BYTES = 256 * 1024


class Spool:
    """A form and where its bytes are. Written once, read any number of times, one reader at a time."""

    def __init__(self, folder: str) -> None:
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES, dir=folder)  # noqa: SIM115 - closed by `close`
        self.form: Form | None = None

    def write(self, data: bytes) -> None:
        # page cache, not disk: a slice of 64 KB costs some 20 us of the loop
        self._file.write(data)

    def size_with(self, edits: tuple[Edit, ...]) -> int:
        """Bytes of the body once the edits are made."""
        assert self.form is not None
        return self.form.size + sum(len(edit.value) - (edit.end - edit.start) for edit in edits)

    async def pieces(self, edits: tuple[Edit, ...]) -> AsyncGenerator[bytes, None]:
        """The body from its beginning, with the edits made, in slices."""
        assert self.form is not None
        position = 0
        for edit in sorted(edits, key=lambda one: one.start):
            for piece in self._range(position, edit.start):
                yield piece
            yield edit.value
            position = edit.end
        for piece in self._range(position, self.form.size):
            yield piece

    def content(self, part: Part) -> bytes:
        """One part whole."""
        self._file.seek(part.start)
        return self._file.read(part.end - part.start)

    def _range(self, start: int, end: int) -> Generator[bytes, None, None]:
        self._file.seek(start)
        while start < end:
            piece = self._file.read(min(SLICE_BYTES, end - start))
            start += len(piece)
            yield piece

    def close(self) -> None:
        self._file.close()
