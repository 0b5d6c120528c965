"""Archives that `python laidian.pyz` runs: this very source in a zip of a few lines, under another version, broken in one way."""

from __future__ import annotations

import hashlib
import zipapp
from pathlib import Path

from tests.program import ROOT

BREAKS = {
    "": "",
    "does not run": "sys.exit('error: broken at once')\n",
    "does not start": "if 'serve' in sys.argv: sys.exit('error: this one cannot serve')\n",
    "starts but only on a copy": "if 'serve' in sys.argv and 'trial-' not in ' '.join(sys.argv): sys.exit('error: not here')\n",
    "changes the schema, then fails": (
        "import laidian.store.migrations as steps\n"
        "steps.STEPS += ('CREATE TABLE of_the_future (x INTEGER) STRICT;',)\n"
        "if 'serve' in sys.argv and 'trial-' not in ' '.join(sys.argv):\n"
        "    import laidian.server.start as start\n"
        "    def fail(*_): sys.exit('error: migrated, but no')\n"
        "    start.serve = fail\n"
    ),
    "changes the schema": (
        "import laidian.store.migrations as steps\n"
        "steps.STEPS += ('CREATE TABLE of_the_future (x INTEGER) STRICT;',)\n"
    ),
}


def archive(path: Path, version: str, broken: str = "") -> Path:
    """A zipapp that says `version` of itself."""
    content = path.with_name(path.stem + ".content")
    content.mkdir()
    (content / "__main__.py").write_text(
        f"import sys\nsys.path.insert(0, {str(ROOT)!r})\nimport laidian\nlaidian.__version__ = {version!r}\n"
        f"{BREAKS[broken]}from laidian.cli import main\nsys.exit(main())\n"
    )
    zipapp.create_archive(content, path)
    path.chmod(0o755)
    return path


def sums(*files: Path) -> None:
    """A SHA256SUMS beside them, as sha256sum writes it."""
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    files[0].with_name("SHA256SUMS").write_text("".join(lines))
