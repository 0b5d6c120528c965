"""QR codes: read back with a reader of their own, which knows nothing of how they were drawn."""

from __future__ import annotations

import pytest

from tui.qr import MOST, Squares, half_blocks, squares, whole_blocks, with_margin

KEY = "sk-7Q2mB9xV4tK8sW1nP6rC3yZ5uH0jL2dF4gA7eT9oAbC"
FORMATS = {1: "L", 0: "M"}
BLOCKS = {
    "L": {1: (7, 1), 2: (10, 1), 3: (15, 1), 4: (20, 1), 5: (26, 1), 6: (18, 2)},
    "M": {1: (10, 1), 2: (16, 1), 3: (26, 1), 4: (18, 2), 5: (24, 2), 6: (16, 4)},
}


def read(code: Squares) -> str:
    """The text in a QR code of versions 1 to 6, in byte mode. Asserts that its format and its correction are right."""
    size = len(code)
    version = (size - 17) // 4
    bits = [code[8][at] for at in (0, 1, 2, 3, 4, 5, 7, 8)] + [code[at][8] for at in (7, 5, 4, 3, 2, 1, 0)]
    found = int("".join("1" if bit else "0" for bit in bits), 2) ^ 0b101010000010010
    rest = found
    for bit in range(14, 9, -1):
        rest ^= (0b10100110111 << (bit - 10)) if rest >> bit & 1 else 0
    assert rest == 0, "the format's own correction"
    level, mask = FORMATS[found >> 13], found >> 10 & 7
    words = _words(code, version, mask)
    correction, blocks = BLOCKS[level][version]
    data: list[int] = []
    lengths = len(words) // blocks
    for number in range(blocks):
        block = words[number : (lengths - correction) * blocks : blocks]
        check = words[(lengths - correction) * blocks + number :: blocks][:correction]
        assert not any(_value([*block, *check], power) for power in range(correction)), (
            "the block's correction"
        )
        data += block
    text = "".join(f"{word:08b}" for word in data)
    assert text[:4] == "0100"
    length = int(text[4:12], 2)
    return bytes(int(text[12 + 8 * at : 20 + 8 * at], 2) for at in range(length)).decode()


def _words(code: Squares, version: int, mask: int) -> list[int]:
    size = len(code)
    middle = size - 7

    def fixed(row: int, column: int) -> bool:
        corner = (row < 9 and (column < 9 or column >= size - 8)) or (row >= size - 8 and column < 9)
        aligned = version > 1 and abs(row - middle) < 3 and abs(column - middle) < 3
        return corner or row == 6 or column == 6 or aligned

    masks = [
        lambda i, j: (i + j) % 2,
        lambda i, _: i % 2,
        lambda _, j: j % 3,
        lambda i, j: (i + j) % 3,
        lambda i, j: (i // 2 + j // 3) % 2,
        lambda i, j: (i * j) % 2 + (i * j) % 3,
        lambda i, j: ((i * j) % 2 + (i * j) % 3) % 2,
        lambda i, j: ((i + j) % 2 + (i * j) % 3) % 2,
    ]
    bits = ""
    column, upwards = size - 1, True
    while column > 0:
        column -= column == 6
        for row in range(size - 1, -1, -1) if upwards else range(size):
            for at in (column, column - 1):
                if not fixed(row, at):
                    bits += "1" if code[row][at] != (masks[mask](row, at) == 0) else "0"
        upwards = not upwards
        column -= 2
    return [int(bits[at : at + 8], 2) for at in range(0, len(bits) - 7, 8)]


def _value(words: list[int], power: int) -> int:
    """The polynomial of the words at the element alpha^power: 0 for a block that is whole."""
    logs, element = [0] * 256, 1
    powers: list[int] = []
    for at in range(255):
        powers.append(element)
        logs[element] = at
        element = element * 2 ^ (0x11D if element > 127 else 0)
    value = 0
    for word in words:
        value = (powers[(logs[value] + power) % 255] if value else 0) ^ word
    return value


@pytest.mark.parametrize("text", ["a", KEY, "x" * 17, "x" * 62, "y" * 100, "z" * MOST, "小王 " * 10])
def test_a_code_is_read_back(text: str) -> None:
    assert read(squares(text)) == text


def test_a_key_needs_no_more_than_eighty_columns_and_twenty_three_lines() -> None:
    code = with_margin(squares(KEY))
    lines = half_blocks(code)
    assert len(lines) <= 23
    assert all(len(line) == len(code) <= 80 for line in lines)


def test_half_blocks_and_letters_show_the_same_squares() -> None:
    code = with_margin(squares(KEY), 2)
    size = len(code)
    from_halves = [[False] * size for _ in range(size + size % 2)]
    for at, line in enumerate(half_blocks(code)):
        for column, sign in enumerate(line):
            from_halves[2 * at][column] = sign in "▀█"
            from_halves[2 * at + 1][column] = sign in "▄█"
    assert from_halves[:size] == code
    letters = whole_blocks(code)
    assert all(set(line) <= {"#", " "} for line in letters)
    assert [[line[2 * at] == "#" for at in range(size)] for line in letters] == code


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="too many"):
        squares("x" * (MOST + 1))
