"""Waiting for ends: one connection for a process and a database hears what ends, for all who wait there."""

from pgqueue.hearing.door import check_may_wait, waiting_on
from pgqueue.hearing.until import Raw, check_isolation, until_ended
from pgqueue.hearing.verdict import error_of

__all__ = ["Raw", "check_isolation", "check_may_wait", "error_of", "until_ended", "waiting_on"]
