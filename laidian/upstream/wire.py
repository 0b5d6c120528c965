"""The bytes of HTTP/1.1, seen from a client: writing a request head, reading a response.

Owns the grammar and its limits (RFC 9112). It does no I/O, knows no clock and no connection: bytes go in, body
bytes come out. It refuses what it cannot frame beyond doubt (two lengths, a length beside a transfer coding, folded lines, bare line feeds): a wrong guess would
hand one request's answer to another. The rule a newcomer would break: this is the hot path. Heads are cut with
`find` and `split`, a chunked body is decoded in one pass per arrival, and nothing is allocated per chunk but
the chunk.
"""

from collections.abc import Sequence
from typing import Never

from laidian.upstream.faults import ProtocolFault

__all__ = ["HEAD_LIMIT", "LINE_LIMIT", "Headers", "ResponseReader", "request_head"]

Headers = tuple[tuple[bytes, bytes], ...]
"""Pairs in the order received, names lower-cased, values without surrounding blanks."""

HEAD_LIMIT = 64 * 1024
"""Bytes of one response head, and of all trailers of one response. Node.js stops at 16 KiB, nginx at 32 KiB."""

LINE_LIMIT = 128
"""Header lines of one response. Go's and Apache's servers stop near 100."""

CHUNK_LINE_LIMIT = 4 * 1024
"""Bytes of one chunk-size line with its extensions."""

INTERIM_LIMIT = 32
"""Interim (1xx) responses before the final one. A peer that sends more is looping."""

_TOKEN = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_HEX = b"0123456789abcdefABCDEF"
_UNFIT_IN_TARGET = bytes(range(0x21)) + b"\x7f"
_OURS = frozenset((b"host", b"content-length", b"transfer-encoding"))

_HEAD, _LENGTH, _CHUNKED, _UNTIL_CLOSE, _DONE = range(5)

# What a chunked body waits for, kept in the same number as the bytes left of the current chunk (> 0).
_SIZE_LINE, _CHUNK_END, _TRAILERS = 0, -1, -2


def request_head(
    method: bytes, target: bytes, host: bytes, headers: Sequence[tuple[bytes, bytes]], framing: bytes = b""
) -> bytes:
    """The head of a request, up to and with the empty line.

    `framing` is a whole header line with its CRLF, or nothing. Raises ValueError, without the value in its text,
    for a header that would break the head (CR, LF, NUL; a name that is no token), for one that is the
    transport's own (Host, Content-Length, Transfer-Encoding), and for a method or target with blanks or controls.
    """
    if not method or method.translate(None, _TOKEN):
        raise ValueError(f"The method {method!r} is not an HTTP token.")
    if not target or len(target.translate(None, _UNFIT_IN_TARGET)) != len(target):
        raise ValueError(
            "The request target is empty or holds a blank or a control character; percent-encode it."
        )
    parts = [method, b" ", target, b" HTTP/1.1\r\nHost: ", host, b"\r\n"]
    for name, value in headers:
        if not name or name.translate(None, _TOKEN):
            raise ValueError(f"The header name {name!r} is not an HTTP token.")
        if name.lower() in _OURS:
            raise ValueError(f"The header {name.decode()} belongs to the transport; leave it out.")
        parts += (name, b": ", value, b"\r\n")
    parts += (framing, b"\r\n")
    head = b"".join(parts)
    lines = len(headers) + (4 if framing else 3)
    if head.count(b"\n") != lines or head.count(b"\r") != lines or b"\0" in head:
        _refuse_value(headers)
    return head


def _refuse_value(headers: Sequence[tuple[bytes, bytes]]) -> Never:
    for name, value in headers:
        if b"\r" in value or b"\n" in value or b"\0" in value:
            raise ValueError(f"The value of the header {name.decode()} holds CR, LF or NUL.")
    raise ValueError("The host name or the framing line holds CR, LF or NUL.")


class ResponseReader:
    """Reads one response to one request, fed with whatever arrives.

    `feed` may be given any cut of the bytes. After `complete`, `keep_alive` says whether the connection may
    carry another request, and `surplus` whether bytes came that belong to no response.
    """

    __slots__ = (
        "_bodiless",
        "_head",
        "_held",
        "_interims",
        "_left",
        "_peer",
        "_state",
        "_trailer_size",
        "complete",
        "head_complete",
        "headers",
        "heard",
        "keep_alive",
        "status",
        "surplus",
    )

    def __init__(self, method: bytes, peer: str) -> None:
        """`peer` names the upstream in the text of faults ("api.example.com:443")."""
        self.status = 0
        self.headers: Headers = ()
        self.heard = False
        self.head_complete = False
        self.complete = False
        self.keep_alive = False
        self.surplus = False
        self._bodiless = method == b"HEAD"
        self._peer = peer
        self._state = _HEAD
        self._head = bytearray()
        self._held = b""
        self._interims = 0
        self._left = 0
        self._trailer_size = 0

    def feed(self, data: bytes, body: list[bytes]) -> int:
        """Takes what arrived (at least a byte), appends body pieces to `body`, returns how many body bytes those are.

        Raises ProtocolFault for bytes that are no HTTP/1.x response or break a limit; the reader is then of no
        more use.
        """
        self.heard = True
        state = self._state
        if state == _CHUNKED:
            return self._feed_chunked(data, body)
        if state == _LENGTH:
            return self._feed_length(data, body)
        if state == _HEAD:
            return self._feed_head(data, body)
        if state == _UNTIL_CLOSE:
            body.append(data)
            return len(data)
        self.surplus = True
        return 0

    def feed_eof(self) -> bool:
        """The peer closed in good order. Returns whether the response is complete now."""
        if self._state == _UNTIL_CLOSE:
            self._finish()
        return self.complete

    def _finish(self) -> None:
        self._state = _DONE
        self.complete = True

    def _fail(self, what: str) -> Never:
        phase = "body" if self.head_complete else "head"
        raise ProtocolFault(f"The upstream {self._peer} {what}.", phase=phase, ambiguous=True)

    # The head

    def _feed_head(self, data: bytes, body: list[bytes]) -> int:
        held = self._head
        if held:
            # A bytearray, so that a head dripping in byte by byte is not copied each time.
            start = max(len(held) - 3, 0)
            held += data
            end = held.find(b"\r\n\r\n", start)
        else:
            start = 0
            end = data.find(b"\r\n\r\n")
        if end < 0:
            if not held:
                held += data
            self._refuse_hopeless(held, start)
            return 0
        if end > HEAD_LIMIT:
            self._fail(f"sent a response head over {HEAD_LIMIT} bytes")
        if held:
            data = bytes(held)
            held.clear()
        rest = data[end + 4 :]
        self._read_head(data[:end])
        return self.feed(rest, body) if rest else 0

    def _refuse_hopeless(self, head: bytearray, start: int) -> None:
        """Ends what no further byte can mend, instead of waiting for a time-out."""
        if not b"HTTP/1.".startswith(bytes(head[:7])):
            self._fail(f"does not speak HTTP/1.x: its answer begins with {bytes(head[:16])!r}")
        if len(head) > HEAD_LIMIT:
            self._fail(f"sent a response head over {HEAD_LIMIT} bytes")
        if head.find(b"\n\n", start) >= 0:
            self._fail("ends its header lines with a bare LF")

    def _read_head(self, head: bytes) -> None:
        lines = head.split(b"\r\n")
        status_line = lines[0]
        version, code = status_line[:9], status_line[9:12]
        if version not in (b"HTTP/1.1 ", b"HTTP/1.0 "):
            self._fail(f"does not speak HTTP/1.x: its answer begins with {status_line[:16]!r}")
        if not code.isdigit() or len(code) != 3 or code < b"100" or status_line[12:13] not in (b"", b" "):
            self._fail(f"sent no three-digit status: {status_line[:16]!r}")
        if head.count(b"\n") != len(lines) - 1 or head.count(b"\r") != len(lines) - 1 or b"\0" in head:
            self._fail("sent a response head with a bare CR, a bare LF or a NUL")
        if len(lines) - 1 > LINE_LIMIT:
            self._fail(f"sent {len(lines) - 1} header lines; at most {LINE_LIMIT} are taken")
        headers = self._read_lines(lines)
        status = int(code)
        if status < 200:
            self._pass_interim(status)
            return
        self.status = status
        self.headers = headers
        self._choose_framing(version == b"HTTP/1.1 ")
        self.head_complete = True

    def _read_lines(self, lines: list[bytes]) -> Headers:
        headers: list[tuple[bytes, bytes]] = []
        for line in lines[1:]:
            name, colon, value = line.partition(b":")
            if not colon or not name or name.translate(None, _TOKEN):
                if line[:1] in (b" ", b"\t"):
                    self._fail("sent a folded header line, which RFC 9112 forbids")
                self._fail("sent a header line without a proper name")
            headers.append((name.lower(), value.strip(b" \t")))
        return tuple(headers)

    def _pass_interim(self, status: int) -> None:
        self._interims += 1
        if status == 101:
            self._fail("switched protocols (101) without being asked")
        if self._interims > INTERIM_LIMIT:
            self._fail(f"sent more than {INTERIM_LIMIT} interim responses")

    def _choose_framing(self, is_1_1: bool) -> None:
        """RFC 9112 section 6.3, without the guesses."""
        lengths: list[bytes] = []
        codings: list[bytes] = []
        closes, keeps = False, is_1_1
        for name, value in self.headers:
            if name == b"content-length":
                lengths += [item.strip(b" \t") for item in value.split(b",")]
            elif name == b"transfer-encoding":
                codings.append(value.lower())
            elif name == b"connection":
                options = [option.strip(b" \t") for option in value.lower().split(b",")]
                closes = closes or b"close" in options
                keeps = keeps or b"keep-alive" in options
        self.keep_alive = keeps and not closes
        if self._bodiless or self.status in (204, 304):
            self._finish()
        elif codings:
            self._expect_chunks(codings, lengths, is_1_1)
        elif lengths:
            self._expect_length(lengths)
        else:
            self._state = _UNTIL_CLOSE
            self.keep_alive = False

    def _expect_chunks(self, codings: list[bytes], lengths: list[bytes], is_1_1: bool) -> None:
        if lengths:
            self._fail("framed its answer twice, by Content-Length and by Transfer-Encoding")
        if codings != [b"chunked"]:
            self._fail("used a transfer coding other than chunked, which was not asked for")
        self._state = _CHUNKED
        # RFC 9112 section 6.1: a 1.0 message with Transfer-Encoding may have passed something that ignored it.
        self.keep_alive = self.keep_alive and is_1_1

    def _expect_length(self, lengths: list[bytes]) -> None:
        first = lengths[0]
        if any(length != first for length in lengths):
            self._fail("sent two different values of Content-Length")
        if not first.isdigit() or len(first) > 18:
            self._fail("sent a Content-Length that is no number of bytes")
        self._left = int(first)
        self._state = _LENGTH
        if self._left == 0:
            self._finish()

    # The body

    def _feed_length(self, data: bytes, body: list[bytes]) -> int:
        left = self._left
        size = len(data)
        if size < left:
            self._left = left - size
            body.append(data)
            return size
        self._finish()
        if size > left:
            self.surplus = True
            data = data[:left]
        body.append(data)
        return left

    def _feed_chunked(self, data: bytes, body: list[bytes]) -> int:
        if self._held:
            data = self._held + data
            self._held = b""
        left, position, size, taken = self._left, 0, len(data), 0
        while position < size:
            if left > 0:
                piece = data[position : position + left]
                body.append(piece)
                taken += len(piece)
                position += len(piece)
                left = left - len(piece) or _CHUNK_END
                if left == _CHUNK_END and data[position : position + 2] == b"\r\n":
                    position += 2
                    left = _SIZE_LINE
                continue
            end = data.find(b"\r\n", position)
            if end < 0:
                self._hold_line(data[position:], left)
                break
            if left == _SIZE_LINE:
                left = self._chunk_size(data[position:end]) or _TRAILERS
            elif left == _CHUNK_END:
                if end != position:
                    self._fail("sent a chunk longer than its stated size")
                left = _SIZE_LINE
            elif self._ends_trailers(end - position):
                self._finish()
                self.surplus = end + 2 < size
                break
            position = end + 2
        self._left = left
        return taken

    def _hold_line(self, line: bytes, left: int) -> None:
        if left == _CHUNK_END and line != b"\r":
            self._fail("sent a chunk longer than its stated size")
        if len(line) > CHUNK_LINE_LIMIT:
            self._fail(f"sent a chunk-size or trailer line over {CHUNK_LINE_LIMIT} bytes")
        if b"\n" in line:
            self._fail("ends the lines of its chunked body with a bare LF")
        self._held = line

    def _chunk_size(self, line: bytes) -> int:
        """The size in a chunk-size line. Extensions are passed over; blanks behind the size are an old server's padding."""
        if line and len(line) < 16 and not line.translate(None, _HEX):
            return int(line, 16)
        digits, extension, _ = line.partition(b";")
        digits = digits.rstrip(b" \t")
        if not digits or len(digits) > 15 or digits.translate(None, _HEX):
            self._fail("sent a chunk size that is no hexadecimal number")
        if extension and (len(line) > CHUNK_LINE_LIMIT or b"\n" in line or b"\r" in line):
            self._fail(f"sent a chunk extension over {CHUNK_LINE_LIMIT} bytes or with a bare CR or LF")
        return int(digits, 16)

    def _ends_trailers(self, line_size: int) -> bool:
        self._trailer_size += line_size + 2
        if self._trailer_size > HEAD_LIMIT:
            self._fail(f"sent trailers over {HEAD_LIMIT} bytes")
        return line_size == 0
