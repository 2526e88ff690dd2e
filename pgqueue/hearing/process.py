"""The ears of this process: one pair for each database in which somebody waits. A forked copy gets its own."""

from __future__ import annotations

import atexit
import threading
from weakref import WeakValueDictionary

from pgqueue.forks import not_for_copies
from pgqueue.hearing.deaf import Deaf
from pgqueue.hearing.ears import Ears
from pgqueue.hearing.place import Place, place_of
from pgqueue.store.connection import AsyncDriver, Driver
from pgqueue.store.drivers import OnAsyncpg, OnPsycopg2


class OfThisProcess:
    """As long as somebody waits, or a thread lingers, there are the same ears for the same database."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ears: WeakValueDictionary[Place, Ears] = WeakValueDictionary()
        not_for_copies(self)

    def ears_of(self, conn: Driver | AsyncDriver) -> Ears | Deaf:
        """Those for the database that a connection leads to, where another one can be opened by what it knows."""
        if isinstance(conn, OnPsycopg2 | OnAsyncpg):
            return Deaf()
        place = place_of(conn)
        with self._lock:
            found = self._ears.get(place)
            if found is None:
                found = self._ears[place] = Ears(place)
            return found

    def in_copy(self) -> None:
        """Called in a forked copy: what the other process hears with is not touched there."""
        self._lock = threading.Lock()
        for ears in list(self._ears.values()):
            ears.in_copy()
        self._ears = WeakValueDictionary()

    def stop(self) -> None:
        """End all threads."""
        with self._lock:
            all_of_them = list(self._ears.values())
        for ears in all_of_them:
            ears.stop()


_ours = OfThisProcess()
ears_of = _ours.ears_of
atexit.register(_ours.stop)
