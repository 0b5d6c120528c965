"""What one worker process runs: connections, writer, transport, health, and the chores that tick beside the requests."""

from __future__ import annotations

import asyncio
import logging
import random
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from laidian.admin.api.services import ASGI, AdminServices
from laidian.admin.service.upstreams import record_probe
from laidian.clock import now_ms
from laidian.config import Config
from laidian.domain.circuit import Circuit, CircuitKey
from laidian.domain.upstream import Secret, Upstream
from laidian.errors import EndedByOperator, LaidianError, Stopping
from laidian.protocol.anthropic import Anthropic
from laidian.protocol.anthropic_codec import AnthropicCodec
from laidian.protocol.anthropic_family import AnthropicFamily
from laidian.protocol.codec import Codec
from laidian.protocol.dialect import DialectName
from laidian.protocol.gemini import Gemini
from laidian.protocol.gemini_codec import GeminiCodec
from laidian.protocol.gemini_family import GeminiFamily
from laidian.protocol.openai_audio import OpenAISpeech, OpenAITranscriptions
from laidian.protocol.openai_chat import OpenAIChat
from laidian.protocol.openai_chat_codec import OpenAIChatCodec
from laidian.protocol.openai_completions import OpenAICompletions
from laidian.protocol.openai_edits import OpenAIImageEdits
from laidian.protocol.openai_embeddings import OpenAIEmbeddings, OpenAIModerations
from laidian.protocol.openai_family import OpenAIFamily
from laidian.protocol.openai_images import OpenAIImages
from laidian.protocol.openai_images_codec import OpenAIImagesCodec
from laidian.protocol.openai_responses import OpenAIResponses
from laidian.protocol.openai_responses_codec import OpenAIResponsesCodec
from laidian.protocol.openai_responses_near import OpenAICompact, OpenAIDecisions, OpenAIInputTokens
from laidian.protocol.signatures import Signatures
from laidian.relay.background import Background
from laidian.relay.context import Context
from laidian.relay.journal import Journal
from laidian.relay.refused import Refusals
from laidian.relay.settler import Settler
from laidian.server.folder import Folder
from laidian.store.awaited import adopt
from laidian.store.catalog import CatalogReader
from laidian.store.circuits import read_circuits, write_circuit
from laidian.store.connection import Connection, DatabaseError
from laidian.store.database import connect
from laidian.store.ledger import note_progress, sweep_rates
from laidian.store.live import asked_to_end
from laidian.store.orphans import Worker, settle_orphans
from laidian.store.reader import Reader
from laidian.store.refusals import forget_refusals
from laidian.store.rollups import fold, forget
from laidian.store.upstreams import last_probes
from laidian.store.vault import Vault, master_key
from laidian.store.writer import Writer
from laidian.upstream.health import Health
from laidian.upstream.probe import PROBE_EVERY_S, Probed, probe
from laidian.upstream.transport import Transport

_log = logging.getLogger(__name__)

PROGRESS_S = 2.0
"""How often the ledger is told what long requests have produced; what an orphan can lose at most."""
SHARE_S = 1.0
"""How often this worker looks at what the others learned about upstreams."""
STOP_LOOK_S = 0.25
CANCEL_LOOK_S = 0.5
"""How soon a worker ends a request that the operator asked another worker to end."""
FOLD_S = 2.0
"""How often new records are added to the sums; what is not yet is read from the records, so nothing is ever late."""
FOLD_PAUSE_S = 0.02
"""Between two steps of folding: requests go first."""
ORPHAN_LOOK_S = 5.0
SWEEP_S = 600.0
PROBE_LOOK_S = 1.0


class Services:
    def __init__(
        self, config: Config, folder: Folder, *, chores: bool = True, config_file: Path | None = None
    ) -> None:
        self._config = config
        self._folder = folder
        self._with_chores = chores
        self._config_file = config_file
        self._chores: list[asyncio.Task[None]] = []
        self._ending: set[str] = set()
        """Requests of this worker that the operator has told to end and that still run."""

    async def start(self) -> Context:
        """Opens everything. Raises LaidianError when the folder or the database cannot be used."""
        config, folder = self._config, self._folder
        self.vault = Vault(master_key(folder.master_key))
        self.reader = connect(folder.database, read_only=True)
        writer = Writer(folder.database, synchronous=config.ledger.synchronous.upper())
        writer.start()
        self._writer = writer
        self._worker = Worker(folder.run, uuid.uuid4().hex[:12])
        started_ms = now_ms()
        await writer.submit(lambda connection: self._worker.register(connection, started_ms))
        health = Health(now_ms, self._circuit_changed)
        catalog = CatalogReader(self.reader, self.vault, lambda: health.replace(read_circuits(self.reader)))
        settler, transport, journal = Settler(writer), Transport(), Journal(lines=config.log.requests)
        codecs: dict[DialectName, Codec] = {
            "openai.chat": OpenAIChatCodec(),
            "openai.responses": OpenAIResponsesCodec(),
            "gemini": GeminiCodec(),
            "anthropic": AnthropicCodec(),
        }
        self.context = Context(
            config=config,
            worker_id=self._worker.id,
            loop=asyncio.get_running_loop(),
            catalog=catalog,
            writer=writer,
            settler=settler,
            background=Background(writer, settler, transport, catalog, journal),
            transport=transport,
            health=health,
            journal=journal,
            refusals=Refusals(writer),
            families={"openai": OpenAIFamily(), "gemini": GeminiFamily(), "anthropic": AnthropicFamily()},
            dialects={
                "openai.chat": OpenAIChat(),
                "openai.completions": OpenAICompletions(),
                "openai.embeddings": OpenAIEmbeddings(),
                "openai.moderations": OpenAIModerations(),
                "openai.images": OpenAIImages(),
                "openai.edits": OpenAIImageEdits(),
                "openai.speech": OpenAISpeech(),
                "openai.listen": OpenAITranscriptions(),
                "openai.responses": OpenAIResponses(),
                "openai.input_tokens": OpenAIInputTokens(),
                "openai.compact": OpenAICompact(),
                "openai.decisions": OpenAIDecisions(),
                "gemini": Gemini(),
                "anthropic": Anthropic(),
            },
            askers={
                **codecs,
                "openai.images": OpenAIImagesCodec("image_generation"),
                "openai.edits": OpenAIImagesCodec("image_edit"),
            },
            codecs=codecs,
            signatures=Signatures(),
            chance=random.random,
            spool_folder=str(folder.run),
        )
        self.lister = Reader(folder.database)
        self.context.lister = self.lister
        self.admin = self._admin(started_ms)
        if self._with_chores:
            self._start_chores()
        return self.context

    def _admin(self, started_ms: int) -> AdminServices:
        """What the admin API works with."""
        context, folder = self.context, self._folder
        return AdminServices(
            writer=context.writer,
            reader=self.lister,
            catalog=context.catalog,
            vault=self.vault,
            health=context.health,
            probe=lambda upstream: probe(context.transport, upstream),
            cancel=self._cancel,
            stopping=lambda: context.stopping,
            token=Secret(folder.token()),
            config=self._config,
            data=folder.root,
            run_folder=folder.run,
            started_at_ms=started_ms,
            config_file=self._config_file,
        )

    def take_front(self, front: ASGI) -> None:
        """The whole public surface, which is built after the services: a test request goes through it."""
        self.admin = msgspec.structs.replace(self.admin, front=front)

    def _cancel(self, request_id: str) -> bool:
        """Ends a request of this worker, once: telling it again would break off its ending."""
        if request_id in self._ending:
            return True
        life = self.context.live.get(request_id)
        if life is not None:
            life.cancel(EndedByOperator("The operator of this relay ended this request."))
        elif not self.context.background.let_go(request_id):
            return False
        self._ending.add(request_id)
        return True

    def _start_chores(self) -> None:
        for pause_s, chore in (
            (PROGRESS_S, self._note_progress),
            (SHARE_S, self._share_health),
            (CANCEL_LOOK_S, self._look_for_ends),
            (FOLD_S, self._fold),
            (STOP_LOOK_S, self._look_for_stop),
            (ORPHAN_LOOK_S, self._look_for_orphans),
            (SWEEP_S, self._sweep),
            (PROBE_LOOK_S, self._probe_due),
        ):
            self._chores.append(self.context.loop.create_task(_every(pause_s, chore)))

    async def stop(self) -> None:
        """After the last request: late settlements get a chance, then everything closes."""
        for chore in self._chores:
            chore.cancel()
        await self.context.background.aclose()
        await self.context.settler.aclose(3.0)
        await self.context.transport.aclose()
        self.context.journal.flush()
        await self.context.refusals.flush()
        try:
            await self._writer.submit(self._worker.leave)
        except LaidianError as error:
            _log.warning("the worker could not sign off: %s", error.message)
        await self._writer.aclose()
        self.lister.close()
        self.reader.close()

    # Chores

    async def _note_progress(self) -> None:
        notes: list[tuple[int | None, int, str]] = []
        for request_id, life in self.context.live.items():
            outcome = life.outcome
            if outcome is not None and outcome.output_tokens:
                upstream_id = outcome.candidate.upstream.id if outcome.candidate else None
                notes.append((upstream_id, outcome.output_tokens, request_id))
        if notes:
            await self._writer.submit(lambda connection: note_progress(connection, notes))

    async def _share_health(self) -> None:
        self.context.health.replace(read_circuits(self.reader))

    async def _look_for_ends(self) -> None:
        asked = asked_to_end(self.reader, self._worker.id)
        for request_id in asked:
            self._cancel(request_id)
        self._ending.intersection_update(asked)

    async def _fold(self) -> None:
        """Adds new records to the sums, in small steps; one worker of all does it."""
        if _leader(self.reader) != self._worker.id:
            return
        while True:
            if not await self._writer.submit(fold):
                return
            await asyncio.sleep(FOLD_PAUSE_S)

    async def _look_for_stop(self) -> None:
        if self.context.stopping or not self._folder.stopping.exists():
            return
        self.context.stopping = True
        self.context.loop.call_later(self._config.server.drain_s, self._end_streams)

    def _end_streams(self) -> None:
        """The bound of a graceful stop: what still runs is ended and settled."""
        for life in list(self.context.live.values()):
            life.cancel(Stopping("The server is stopping and ended this request; try it again in a moment."))

    async def _look_for_orphans(self) -> None:
        at_ms, run = now_ms(), self._folder.run
        if not _others(self.reader, self._worker.id):
            return
        heir = self._worker.id
        for request_id in await self._writer.submit(lambda connection: adopt(connection, run, heir)):
            self.context.background.watch(request_id)
        await self._writer.submit(lambda connection: settle_orphans(connection, run, at_ms))

    async def _probe_due(self) -> None:
        """Asks upstreams for their models when nobody did for a while; one worker of all does it."""
        if _leader(self.reader) != self._worker.id:
            return
        last, at_ms = last_probes(self.reader), now_ms()
        for upstream in self.context.catalog.current().upstreams.values():
            probed = last.get(upstream.id)
            due = probed is None or at_ms - probed.at_ms > PROBE_EVERY_S * 1000
            if due and upstream.enabled and upstream.credentials:
                await self.probe(upstream)

    async def probe(self, upstream: Upstream) -> Probed:
        """Asks one upstream now and keeps what it said."""
        probed, name, at_ms = await probe(self.context.transport, upstream), upstream.name, now_ms()
        await self._writer.submit(lambda connection: record_probe(connection, name, probed, now_ms=at_ms))
        return probed

    async def _sweep(self) -> None:
        at_ms = now_ms()
        await self._writer.submit(lambda connection: _sweep(connection, at_ms))

    def _circuit_changed(self, key: CircuitKey, circuit: Circuit | None) -> None:
        at_ms = now_ms()
        future = self._writer.submit(lambda connection: write_circuit(connection, key, circuit, at_ms))
        future.add_done_callback(_noticed)


def _sweep(connection: Connection, at_ms: int) -> None:
    """Drops what is needed no longer."""
    sweep_rates(connection, at_ms)
    forget(connection, at_ms)
    forget_refusals(connection, at_ms)


def _leader(reader: Connection) -> str | None:
    """The worker that does what one of all has to do: the least id that is registered."""
    (worker_id,) = reader.execute("SELECT min(id) FROM workers").fetchone()
    return worker_id


def _others(reader: Connection, worker_id: str) -> bool:
    """Whether any other worker is registered or owns a hold: only then is there somebody who could have died."""
    row = reader.execute("SELECT 1 FROM workers WHERE id <> ? LIMIT 1", (worker_id,)).fetchone()
    return row is not None


async def _every(pause_s: float, chore: Callable[[], Any]) -> None:
    """Repeats a chore, at once and then after each pause; one that fails says so and is tried again at its next turn."""
    while True:
        try:
            await chore()
        except (LaidianError, DatabaseError) as error:
            _log.warning("%s failed: %s", chore.__name__.strip("_"), error)
        await asyncio.sleep(pause_s)


def _noticed(future: asyncio.Future[Any]) -> None:
    if not future.cancelled() and future.exception() is not None:
        _log.warning("an upstream's state was not shared: %s", future.exception())
