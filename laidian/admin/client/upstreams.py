"""Upstreams, their credentials, probes and circuits."""

from __future__ import annotations

from laidian.admin.client.address import part
from laidian.admin.client.calls import LONG_S, Calls
from laidian.admin.schema import (
    Circuit,
    CircuitsReset,
    CredentialCreate,
    CredentialEdit,
    Probe,
    Upstream,
    UpstreamCreate,
    UpstreamEdit,
    UpstreamError,
    UpstreamHealth,
    UpstreamModel,
)


class UpstreamCalls(Calls):
    async def upstreams(self) -> tuple[Upstream, ...]:
        return await self.ask("GET", "/upstreams", tuple[Upstream, ...])

    async def upstream(self, name: str) -> Upstream:
        return await self.ask("GET", f"/upstreams/{part(name)}", Upstream)

    async def create_upstream(self, new: UpstreamCreate) -> Upstream:
        return await self.ask("POST", "/upstreams", Upstream, body=new)

    async def edit_upstream(self, name: str, edit: UpstreamEdit) -> Upstream:
        return await self.ask("PATCH", f"/upstreams/{part(name)}", Upstream, body=edit)

    async def delete_upstream(self, name: str) -> Upstream:
        return await self.ask("DELETE", f"/upstreams/{part(name)}", Upstream)

    async def add_credential(self, name: str, new: CredentialCreate) -> Upstream:
        return await self.ask("POST", f"/upstreams/{part(name)}/credentials", Upstream, body=new)

    async def edit_credential(self, name: str, label: str, edit: CredentialEdit) -> Upstream:
        path = f"/upstreams/{part(name)}/credentials/{part(label)}"
        return await self.ask("PATCH", path, Upstream, body=edit)

    async def delete_credential(self, name: str, label: str) -> Upstream:
        return await self.ask("DELETE", f"/upstreams/{part(name)}/credentials/{part(label)}", Upstream)

    async def probe(self, name: str) -> Probe:
        """Checks now. A failed probe is an answer, not an error."""
        return await self.ask("POST", f"/upstreams/{part(name)}/probe", Probe, wait_s=LONG_S)

    async def probes(self, name: str, *, limit: int) -> tuple[Probe, ...]:
        """Newest first."""
        return await self.ask(
            "GET", f"/upstreams/{part(name)}/probes", tuple[Probe, ...], query={"limit": str(limit)}
        )

    async def upstream_models(self, name: str) -> tuple[UpstreamModel, ...]:
        return await self.ask("GET", f"/upstreams/{part(name)}/models", tuple[UpstreamModel, ...])

    async def circuits(self) -> tuple[Circuit, ...]:
        return await self.ask("GET", "/circuits", tuple[Circuit, ...])

    async def reset_circuits(self, upstream: str = "") -> CircuitsReset:
        """Empty: of every upstream."""
        query = {"upstream": upstream} if upstream else {}
        return await self.ask("POST", "/circuits/reset", CircuitsReset, query=query)

    async def upstream_health(self, name: str) -> UpstreamHealth:
        return await self.ask("GET", f"/upstreams/{part(name)}/health", UpstreamHealth)

    async def upstream_errors(self, name: str, *, limit: int) -> tuple[UpstreamError, ...]:
        """Newest first, also of requests that another upstream answered."""
        return await self.ask(
            "GET", f"/upstreams/{part(name)}/errors", tuple[UpstreamError, ...], query={"limit": str(limit)}
        )
