"""What of a package goes into the archive: the files that running needs, and of a native library the part that the loader maps.

Rule: what is left out must be missed by nobody. A pattern here is proven by scripts/test_archive, which runs the server, the
command line and the dashboard from the archive alone.
"""

from __future__ import annotations

import re
import struct

UNUSED = re.compile(
    r"""
    (^|/)(tests?|testing/fixtures|__pycache__)/     # test suites
    | (^|/)_testcapi\.                               # multidict's test module
    | \.(pyc|pyi|pyx|pxd|c|h|cpp|hpp)$ | (^|/)py\.typed$
    | \.dist-info/(?!METADATA$|entry_points\.txt$|licen[cs]es/|LICEN[CS]E|COPYING|NOTICE|AUTHORS)
    | ^pycparser/ | ^cffi/                           # cryptography needs _cffi_backend only, never the compiler
    | ^textual/(demo|tree-sitter)/                  # the latter needs a package that is not there
    | ^yaml/_yaml\. | ^_yaml/                        # C twice as big as the rest; without it yaml is slower, not different
    | ^pygments/lexers/(?!(__init__|_mapping|python|special)\.py$)
    | ^dateutil/zoneinfo/.*\.tar\.gz$                # the system's zones and tzdata are asked before it
    | (^|/)\.
    """,
    re.VERBOSE,
)
LEXERS_KEPT = ("pygments.lexers.python", "pygments.lexers.special")
"""For tracebacks on a crashed dashboard. The others go from the table of lexers, too, so that who asks for one is told that there is
none, which callers provide for, and not sent to a file that is missing."""

METADATA_KEPT = ("Metadata-Version:", "Name:", "Version:", "License:", "License-Expression:", "License-File:")


def trimmed(path: str, data: bytes) -> bytes:
    """The part of a file that running needs."""
    if path.endswith(".dist-info/METADATA"):
        head = data.decode().replace("\r\n", "\n").partition("\n\n")[0]
        return "".join(f"{line}\n" for line in head.split("\n") if line.startswith(METADATA_KEPT)).encode()
    if path == "pygments/lexers/_mapping.py":
        return b"".join(
            line
            for line in data.splitlines(keepends=True)
            if b"'pygments.lexers." not in line or any(f"'{name}'".encode() in line for name in LEXERS_KEPT)
        )
    return without_sections(data) if is_native(path) else data


def is_native(path: str) -> bool:
    return path.endswith(".so") or ".so." in path


def without_sections(elf: bytes) -> bytes:
    """A 64-bit little-endian ELF library without symbols and debug sections; anything else unchanged.

    The loader maps segments and looks at nothing else (elf(5)), so every byte outside them may go. `strip` does the same within 3%
    (uvloop 13.6 -> 1.6 MB), but only for the machine it was made for, and differently from version to version.
    """
    if elf[:6] != b"\x7fELF\x02\x01":
        return elf
    (headers_at,) = struct.unpack_from("<Q", elf, 32)
    header_size, headers = struct.unpack_from("<HH", elf, 54)
    kept = [(0, 64), (headers_at, headers_at + header_size * headers)]
    for at in range(headers_at, headers_at + header_size * headers, header_size):
        (start,), (size,) = struct.unpack_from("<Q", elf, at + 8), struct.unpack_from("<Q", elf, at + 32)
        kept.append((start, start + size))
    smaller = bytearray(max(end for _, end in kept))
    for start, end in kept:
        smaller[start:end] = elf[start:end]
    struct.pack_into(
        "<Q", smaller, 40, 0
    )  # e_shoff, then e_shentsize, e_shnum, e_shstrndx: there is no section table
    struct.pack_into("<HHH", smaller, 58, 0, 0, 0)
    return bytes(smaller)
