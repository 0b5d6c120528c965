"""Secrets at rest: AES-256-GCM with the row's identity as associated data.

Protects copies of the database (backups, replicas), not a rooted host: the master key lies beside it in a file of its own.
A sealed value moved to another row does not open.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from laidian.domain.upstream import Secret
from laidian.errors import StorageDown

_NONCE_BYTES = 12
_KEY_BYTES = 32


class Vault:
    def __init__(self, master: bytes) -> None:
        if len(master) != _KEY_BYTES:
            raise StorageDown(
                f"a master key has {_KEY_BYTES} bytes, this one {len(master)}. Restore the right master.key."
            )
        # imported here: commands that touch no secret need not load OpenSSL (17 ms)
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._cipher = AESGCM(master)

    def seal(self, secret: str, row: str) -> bytes:
        """`row` names table and id, for example `credentials:7`."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret.encode(), row.encode())

    def open(self, sealed: bytes, row: str) -> Secret:
        """Raises StorageDown when the value was sealed for another row or with another master key."""
        from cryptography.exceptions import InvalidTag

        try:
            plain = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], row.encode())
        except InvalidTag:
            raise StorageDown(
                f"the secret of {row} does not open: master.key is not the one it was sealed with. "
                "Restore that master.key, or enter the credential again."
            ) from None
        return Secret(plain.decode())


def master_key(path: Path) -> bytes:
    """Reads the key file, or makes one (0600) when it is missing.

    Raises StorageDown when others may read the file.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise StorageDown(f"{path} can be read by others. Run: chmod 600 {path}") from None
        return path.read_bytes()
    with os.fdopen(descriptor, "wb") as file:
        key = os.urandom(_KEY_BYTES)
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key
