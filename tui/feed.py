"""The one way to the server: asks for what the screen in front shows, keeps the state of the connection, carries out actions.

Owns the client, the rhythm, and what happens when nobody answers. A screen says what it wants to see (`Subject.look`) and draws
what came; it is never asked while it is hidden. The rules a newcomer would break: whatever the server does, the next look may find
it well, so nothing here gives up or needs a key press; what was last seen stays; and no screen talks to the client except through
`ask`, or the dashboard would learn of a lost connection in ten places.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import msgspec

from tui.flow import Flow

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient, AdminError
    from laidian.admin.schema import Status

T = TypeVar("T")
Connect = Callable[[], Awaitable["AdminClient"]]
"""Finds the server and makes a client for it; asked again after a loss, since address and token may be new."""

PERIOD_S = 1.0
BLURRED_S = 5.0
"""Between looks while the terminal is not in front: nobody sees it, and a small machine has other work."""
CAUGHT_UP = 50
"""Ended requests that are asked for before the stream tells of more."""
AWAY_S = (1, 2, 3, 5, 10, 15, 30)
"""Pauses after the first, second … look without an answer; the last one repeats."""


class Link(msgspec.Struct, frozen=True):
    """The state of the connection."""

    state: Literal["connecting", "up", "away", "refused", "foreign"] = "connecting"
    """refused: the token; foreign: something answers that is no LaiDian of this version."""
    reason: str = ""
    again_in_s: int = 0
    """Until the next try, while it is not up."""
    seen_at: datetime.datetime | None = None
    """When the last answer came."""


class Refused(Exception):
    """An action that was not carried out; its text is a sentence for the operator."""

    def __init__(self, message: str, *, code: str = "", param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param


class Subject(Protocol):
    """The screen in front."""

    async def look(self, client: AdminClient) -> Any:
        """What it shows. Raises AdminError."""
        ...

    def seen(self, picture: Any) -> None:
        """Draws what `look` brought."""
        ...

    def unseen(self, reason: str) -> None:
        """The server answers, but refuses this look: what it said."""
        ...


class Feed:
    """`run` it as a task. `subject` is asked before every look; `changed` is called when link or status are other ones."""

    def __init__(
        self,
        connect: Connect,
        *,
        subject: Callable[[], Subject | None],
        changed: Callable[[], None],
        now: Callable[[], datetime.datetime],
        period_s: float = PERIOD_S,
    ) -> None:
        self.link = Link()
        self.status: Status | None = None
        self.blurred = False
        self.looks = 0
        """How many came back with an answer."""
        self.flow = Flow()
        self.listening = False
        """The server tells what happens; nobody needs to ask what runs."""
        self._connect = connect
        self._subject = subject
        self._changed = changed
        self._now = now
        self._period_s = period_s
        self._client: AdminClient | None = None
        self._poked = asyncio.Event()
        self._asking: asyncio.Future[tuple[Status, Any, str]] | None = None
        self._asking_for: Subject | None = None

    # The rhythm

    def poke(self) -> None:
        """Look now: another screen is in front, something was changed, or somebody is impatient."""
        self._poked.set()
        if self._asking is not None and self._asking_for is not self._subject():
            self._asking.cancel()

    async def run(self) -> None:
        """Never ends by itself."""
        listening = asyncio.create_task(self._listen())
        try:
            await self._look_on()
        finally:
            listening.cancel()

    async def _look_on(self) -> None:
        from laidian.admin.client import AdminError

        missed = 0
        while True:
            self._poked.clear()
            try:
                if not await self._look():
                    continue
            except AdminError as error:
                await self._drop()
                if await self._wait(error, AWAY_S[min(missed, len(AWAY_S) - 1)]):
                    missed += 1
                continue
            missed = 0
            self._turn(Link("up", seen_at=self._now()))
            self.looks += 1
            await self._pause(max(self._period_s, BLURRED_S) if self.blurred else self._period_s)

    # What the server tells

    async def _listen(self) -> None:
        """The stream of events, as long as the terminal is in front. While there is none, screens ask instead."""
        from laidian.admin.client import AdminError

        last = ""
        while True:
            if self._client is not None and self.up and not self.blurred:
                try:
                    last = await self._hear(self._client, last)
                except AdminError as error:
                    if error.status == 404:
                        return
                except (OSError, RuntimeError):
                    # The client was closed under it, after a loss that the looks have noticed.
                    pass
                finally:
                    self.listening = False
            await asyncio.sleep(self._period_s)

    async def _hear(self, client: AdminClient, last: str) -> str:
        """Until the terminal is no longer in front; the id of the last event. Raises AdminError when the stream breaks."""
        from contextlib import aclosing

        from laidian.admin.client import UsageFilter
        from laidian.admin.schema import Gap

        async with aclosing(client.events(last_id=last)) as events:
            async for heard in events:
                if self.blurred or client is not self._client:
                    break
                last = heard.id
                if not self.listening or isinstance(heard.event, Gap):
                    # What was there before the first event: the stream tells only what comes after it.
                    running, page = await asyncio.gather(
                        client.live(), client.usage(UsageFilter(), limit=CAUGHT_UP)
                    )
                    self.flow.caught_up(running, page.items)
                    self.listening = True
                self.flow.hear(heard.event)
        return last

    async def aclose(self) -> None:
        await self._drop()

    async def _look(self) -> bool:
        """False: another screen came to the front meanwhile, so the answer was not waited for."""
        subject = self._subject()
        self._asking_for, self._asking = subject, asyncio.ensure_future(self._pictures(subject))
        try:
            status, picture, refused = await self._asking
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return False
        finally:
            self._asking = None
        known, self.status = self.status, status
        if known != status:
            self._changed()
        if subject is not None and self._subject() is subject:
            if refused:
                subject.unseen(refused)
            else:
                subject.seen(picture)
        return True

    async def _pictures(self, subject: Subject | None) -> tuple[Status, Any, str]:
        """Raises AdminError when the server is away or refuses us; a refused look of the screen is its own matter."""
        from laidian.admin.client import AdminError

        client = await self._reach()

        async def look() -> tuple[Any, str]:
            try:
                return (None if subject is None else await subject.look(client)), ""
            except AdminError as error:
                if _is_loss(error):
                    raise
                return None, error.message

        status, (picture, refused) = await asyncio.gather(client.status(), look())
        return status, picture, refused

    async def _reach(self) -> AdminClient:
        if self._client is None:
            self._client = await self._connect()
        return self._client

    async def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _wait(self, error: AdminError, seconds: int) -> bool:
        """Counts down in the banner. False: somebody did not want to wait."""
        for left in range(seconds, 0, -1):
            self._turn(Link(_state_of(error), error.message, left, self.link.seen_at))
            if await self._pause(self._period_s):
                return False
        return True

    async def _pause(self, seconds: float) -> bool:
        """True: it was cut short by a poke."""
        try:
            async with asyncio.timeout(seconds):
                await self._poked.wait()
        except TimeoutError:
            return False
        return True

    def _turn(self, link: Link) -> None:
        same = (
            link.state == self.link.state
            and link.again_in_s == self.link.again_in_s
            and link.reason == self.link.reason
        )
        self.link = link
        if not same:
            self._changed()

    # Questions and actions of a screen

    @property
    def up(self) -> bool:
        return self.link.state == "up"

    async def ask(self, question: Callable[[AdminClient], Awaitable[T]]) -> T:
        """The answer. Raises Refused with a sentence: the server's, or that it is away. A loss is found out about at once."""
        from laidian.admin.client import AdminError

        try:
            return await question(await self._reach())
        except AdminError as error:
            if _is_loss(error):
                self.poke()
            raise Refused(error.message, code=error.code, param=error.param) from None

    async def change(self, question: Callable[[AdminClient], Awaitable[T]]) -> T:
        """An action: as `ask`, and the screen looks again at once."""
        answer = await self.ask(question)
        self.poke()
        return answer


def _is_loss(error: AdminError) -> bool:
    """Whether it is the connection that fails, not the question."""
    return _state_of(error) != "up"


def _state_of(error: AdminError) -> Literal["up", "away", "refused", "foreign"]:
    from laidian.admin.client import FOREIGN

    if error.status in (401, 403):
        return "refused"
    if error.code == FOREIGN:
        return "foreign"
    return "away" if error.away else "up"
