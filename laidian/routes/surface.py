"""The surface as it is: the rows of all files, resolved by what is registered."""

from __future__ import annotations

from laidian.protocol.dialect import OPERATIONS
from laidian.routes import rows_anthropic, rows_gemini, rows_openai, rows_own
from laidian.routes.answers import ANSWERS
from laidian.routes.table import Row, resolved

PLANNED: tuple[Row, ...] = (
    *rows_openai.ROWS,
    *rows_gemini.ROWS,
    *rows_anthropic.ROWS,
    *rows_own.ROWS,
)
"""What every row is meant to be."""

SURFACE: tuple[Row, ...] = resolved(PLANNED, OPERATIONS, ANSWERS)
"""What every row is."""
