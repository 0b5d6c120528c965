"""The bill of materials of an archive, as CycloneDX 1.6 JSON: every Python package, and what is compiled into their native libraries.

Owns the wording of the bill; scripts/build_zipapp.py collects what goes in. The inner parts (Rust crates, OpenSSL) are taken
from the bills that the wheels carry (PEP 770), so that "does this hold OpenSSL x.y" has an answer. Rule: the bill depends on the
lock file and the wheels alone. Never add a time, a path or a random number: two builds must be the same.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.parser import BytesParser
from typing import Any

Component = dict[str, Any]

_LICENCE_NAMES = {
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: BSD License": "BSD-3-Clause",
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: Public Domain": "Public Domain",
}
_EXPRESSION = re.compile(r"[A-Za-z0-9.+-]+( (AND|OR|WITH) [A-Za-z0-9.+-]+)*")
"""An SPDX expression, as far as the packages of a lock file use them."""
_INNER_KEYS = ("type", "name", "version", "scope", "hashes", "licenses", "purl")
"""What is kept of a component that a wheel's own bill names: who wrote it and where it lives is no part of ours."""


@dataclass
class Part:
    """One distribution that goes in."""

    metadata: bytes
    """Its METADATA, whole."""
    bills: list[bytes] = field(default_factory=list[bytes])
    """The CycloneDX files of its wheels."""
    sha256: set[str] = field(default_factory=set[str])
    """Of its wheels; empty where they are installed already."""


def canonical(name: str) -> str:
    """A name as the index spells it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def bill(version: str, parts: Iterable[Part], archive: tuple[str, str] | None = None) -> bytes:
    """`archive`: file name and SHA-256 of the whole, for the bill that lies beside it; the one inside cannot know them."""
    described = sorted((_described(part) for part in parts), key=lambda one: one[0]["bom-ref"])
    components = [component for component, _ in described]
    inside = {canonical(component["name"]): component["bom-ref"] for component in components}
    root: Component = {
        "type": "application",
        "bom-ref": f"laidian@{version}",
        "name": "laidian",
        "version": version,
        "licenses": [{"license": {"id": "MIT"}}],
    }
    if archive is not None:
        root["properties"] = [{"name": "laidian:file", "value": archive[0]}]
        root["hashes"] = [{"alg": "SHA-256", "content": archive[1]}]
    needs = [{"ref": root["bom-ref"], "dependsOn": sorted(inside.values())}]
    needs += [
        {
            "ref": component["bom-ref"],
            "dependsOn": sorted({inside[name] for name in required if name in inside}),
        }
        for component, required in described
    ]
    text = json.dumps(components, sort_keys=True)
    whole: Component = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, text + json.dumps(root))}",
        "version": 1,
        "metadata": {"component": root},
        "components": components,
        "dependencies": needs,
    }
    return json.dumps(whole, indent=1, ensure_ascii=False).encode() + b"\n"


def _described(part: Part) -> tuple[Component, set[str]]:
    """A component, and the canonical names of what it requires."""
    about = BytesParser().parsebytes(part.metadata, headersonly=True)
    name, version = about["Name"], about["Version"]
    component: Component = {
        "type": "library",
        "bom-ref": f"pkg:pypi/{canonical(name)}@{version}",
        "name": name,
        "version": version,
        "licenses": _licences(about),
        "purl": f"pkg:pypi/{canonical(name)}@{version}",
    }
    if part.sha256:
        component["hashes"] = [{"alg": "SHA-256", "content": digest} for digest in sorted(part.sha256)]
    if inner := _inner(part.bills):
        component["components"] = inner
    required: set[str] = set()
    for line in about.get_all("Requires-Dist", []):
        if "extra ==" not in line and (match := re.match(r"[A-Za-z0-9._-]+", line)):
            required.add(canonical(match[0]))
    return component, required


def _licences(about: Any) -> list[dict[str, Any]]:
    """An expression where the package gives one, else a name."""
    said = about.get("License-Expression") or about.get("License") or ""
    said = said.strip().partition("\n")[0]
    if said and _EXPRESSION.fullmatch(said):
        return [{"expression": said}]
    classifiers = [line for line in about.get_all("Classifier", []) if line.startswith("License ::")]
    names = [_LICENCE_NAMES.get(line, line.rpartition(" :: ")[2]) for line in classifiers]
    return [{"license": {"name": name}} for name in ([said] if said else names)]


def _inner(bills: list[bytes]) -> list[Component]:
    """What the wheels' own bills name, once each; the packages for building (`scope: excluded`) are not inside."""
    found: dict[str, Component] = {}
    for text in bills:
        for component in json.loads(text).get("components", ()):
            purl = component.get("purl", "").partition("?")[0]
            if component.get("scope") != "excluded":
                kept = {key: component[key] for key in _INNER_KEYS if key in component} | {"purl": purl}
                found.setdefault(purl or component["name"], kept)
    return [found[key] for key in sorted(found)]
