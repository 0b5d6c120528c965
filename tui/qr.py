"""QR codes of short texts, for a telephone that cannot paste: bytes in, black and white squares out.

Owns versions 1 to 6 (134 bytes at most), in byte mode, with the strongest of the levels L and M that does not make it larger. That is all
a key needs; a library would bring forty versions, kanji and pictures for it. Source: ISO/IEC 18004:2015, sections named below.
`half_blocks` draws two rows of squares a line; `whole_blocks` two letters a square, for terminals without such signs.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

Squares = list[list[bool]]
"""Rows of squares; True is black."""

MARGIN = 4
"""White squares around it that the standard asks for (section 5.3.8)."""


class _Level(msgspec.Struct, frozen=True):
    bits: int
    """In the format (table 12)."""
    correction: tuple[int, ...]
    """Codewords of correction in each block, by version (table 9)."""
    blocks: tuple[tuple[int, int], ...]
    """Number of blocks, and data codewords of each, by version."""


_L = _Level(1, (7, 10, 15, 20, 26, 18), ((1, 19), (1, 34), (1, 55), (1, 80), (1, 108), (2, 68)))
_M = _Level(0, (10, 16, 26, 18, 24, 16), ((1, 16), (1, 28), (1, 44), (2, 32), (2, 43), (4, 27)))
MOST = 134
"""Bytes that fit."""


def squares(text: str) -> Squares:
    """Without the margin. Raises ValueError when the text is too long."""
    data = text.encode()
    for version in range(1, 7):
        for level in (_M, _L):
            count, size = level.blocks[version - 1]
            if len(data) + 2 <= count * size:
                return _drawn(version, level, _codewords(data, version, level))
    raise ValueError(f"{len(data)} bytes are too many for this QR code: at most {MOST}")


# Bits (sections 7.4 to 7.6)


def _codewords(data: bytes, version: int, level: _Level) -> list[int]:
    """Data, filled up, with its correction, blocks interleaved."""
    count, size = level.blocks[version - 1]
    bits = f"0100{len(data):08b}" + "".join(f"{byte:08b}" for byte in data)
    bits += "0" * min(4, count * size * 8 - len(bits))
    bits += "0" * (-len(bits) % 8)
    words = [int(bits[at : at + 8], 2) for at in range(0, len(bits), 8)]
    words += [(0xEC, 0x11)[number % 2] for number in range(count * size - len(words))]
    blocks = [words[at : at + size] for at in range(0, len(words), size)]
    corrections = [_correction(block, level.correction[version - 1]) for block in blocks]
    return [word for group in (blocks, corrections) for words in zip(*group, strict=True) for word in words]


def _product(a: int, b: int) -> int:
    """In the field of 256 elements modulo x^8 + x^4 + x^3 + x^2 + 1."""
    found = 0
    while b:
        if b & 1:
            found ^= a
        a = (a << 1) ^ (0x11D if a & 0x80 else 0)
        b >>= 1
    return found


def _correction(block: list[int], length: int) -> list[int]:
    """The rest of the block divided by the generator polynomial of that length."""
    generator = [1]
    root = 1
    for _ in range(length):
        generator = [
            above ^ _product(below, root)
            for above, below in zip([*generator, 0], [0, *generator], strict=True)
        ]
        root = _product(root, 2)
    rest = [0] * length
    for word in block:
        factor = word ^ rest[0]
        rest = [one ^ _product(factor, by) for one, by in zip([*rest[1:], 0], generator[1:], strict=True)]
    return rest


# Squares (sections 6.3, 7.7 to 7.9)

_MASKS: tuple[Callable[[int, int], bool], ...] = (
    lambda row, column: (row + column) % 2 == 0,
    lambda row, column: row % 2 == 0,
    lambda row, column: column % 3 == 0,
    lambda row, column: (row + column) % 3 == 0,
    lambda row, column: (row // 2 + column // 3) % 2 == 0,
    lambda row, column: row * column % 2 + row * column % 3 == 0,
    lambda row, column: (row * column % 2 + row * column % 3) % 2 == 0,
    lambda row, column: ((row + column) % 2 + row * column % 3) % 2 == 0,
)


def _drawn(version: int, level: _Level, words: list[int]) -> Squares:
    """With the mask that leaves the least of what confuses a reader."""
    size = 17 + 4 * version
    fixed = _patterns(version, size)
    bits = "".join(f"{word:08b}" for word in words)
    places = _path(fixed, size)
    best: tuple[int, Squares] | None = None
    for number, mask in enumerate(_MASKS):
        found = [[bool(square) for square in row] for row in fixed]
        for at, (row, column) in enumerate(places):
            found[row][column] = (at < len(bits) and bits[at] == "1") != mask(row, column)
        _write_format(found, size, level.bits << 3 | number)
        worth = _penalty(found)
        if best is None or worth < best[0]:
            best = worth, found
    assert best is not None
    return best[1]


def _patterns(version: int, size: int) -> list[list[bool | None]]:
    """What is the same in every code of this version; None where data goes."""
    found: list[list[bool | None]] = [[None] * size for _ in range(size)]
    for at in range(8, size - 8):
        found[6][at] = found[at][6] = at % 2 == 0
    for top, left in ((0, 0), (0, size - 7), (size - 7, 0)):
        for row in range(-1, 8):
            for column in range(-1, 8):
                if 0 <= top + row < size and 0 <= left + column < size:
                    ring = max(abs(row - 3), abs(column - 3))
                    found[top + row][left + column] = ring in (0, 1, 3)
    if version > 1:
        middle = size - 7
        for row in range(-2, 3):
            for column in range(-2, 3):
                found[middle + row][middle + column] = max(abs(row), abs(column)) != 1
    for at in range(9):
        # Kept free for the format.
        found[8][at] = found[8][at] if found[8][at] is not None else False
        found[at][8] = found[at][8] if found[at][8] is not None else False
    for at in range(8):
        found[8][size - 1 - at] = found[size - 1 - at][8] = False
    found[size - 8][8] = True
    return found


def _path(fixed: list[list[bool | None]], size: int) -> list[tuple[int, int]]:
    """Where the bits go: two columns at a time from the right, up and down in turn, over what is free."""
    places: list[tuple[int, int]] = []
    up = True
    for right in (*range(size - 1, 6, -2), *range(5, 0, -2)):
        for row in range(size - 1, -1, -1) if up else range(size):
            places += [(row, column) for column in (right, right - 1) if fixed[row][column] is None]
        up = not up
    return places


def _write_format(found: Squares, size: int, data: int) -> None:
    """Level and mask, twice, with ten bits of correction."""
    rest = data << 10
    for bit in range(14, 9, -1):
        if rest >> bit & 1:
            rest ^= 0x537 << (bit - 10)
    bits = (data << 10 | rest) ^ 0x5412
    for number in range(15):
        black = bool(bits >> number & 1)
        if number < 8:
            found[8][size - 1 - number] = black
        else:
            found[size - 15 + number][8] = black
        along = number if number < 6 else number + 1 if number < 8 else 0
        if number < 8:
            found[along][8] = black
        elif number == 8:
            found[8][7] = black
        else:
            found[8][14 - number] = black


def _penalty(found: Squares) -> int:
    """Section 7.8.3: runs, blocks, patterns like a corner's, and too much of one colour."""
    size = len(found)
    worth = 0
    for rows in (found, [list(column) for column in zip(*found, strict=True)]):
        for row in rows:
            line = "".join("1" if square else "0" for square in row)
            run, before = 0, ""
            for letter in [*line, "end"]:
                if letter == before:
                    run += 1
                else:
                    worth += run - 2 if run >= 5 else 0
                    run, before = 1, letter
            for pattern in ("10111010000", "00001011101"):
                worth += 40 * sum(line.startswith(pattern, at) for at in range(size - 10))
    for row in range(size - 1):
        for column in range(size - 1):
            four = {
                found[row][column],
                found[row][column + 1],
                found[row + 1][column],
                found[row + 1][column + 1],
            }
            worth += 3 if len(four) == 1 else 0
    black = sum(sum(row) for row in found) * 100 / size**2
    return worth + 10 * int(abs(black - 50) / 5)


# Letters


def with_margin(code: Squares, margin: int = MARGIN) -> Squares:
    size = len(code) + 2 * margin
    blank = [[False] * size for _ in range(margin)]
    return [*blank, *([False] * margin + row + [False] * margin for row in code), *blank]


def half_blocks(code: Squares) -> list[str]:
    """Two rows of squares a line, black ones as the letter's ink: to be drawn black on white."""
    rows = code if len(code) % 2 == 0 else [*code, [False] * len(code)]
    signs = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
    return [
        "".join(signs[pair] for pair in zip(rows[at], rows[at + 1], strict=True))
        for at in range(0, len(rows), 2)
    ]


def whole_blocks(code: Squares) -> list[str]:
    """A row of squares a line, each as two letters."""
    return ["".join("##" if square else "  " for square in row) for row in code]
