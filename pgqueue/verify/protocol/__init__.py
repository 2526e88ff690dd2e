"""Whether a worker in another language keeps to the protocol: it is started, given jobs, and treated badly.

checks      what it must do, each a promise, a way to try it, and what to mend
trial       one check's queue, its jobs, and the worker that serves it
program     the worker's process
conforming  the course, on a database of its own
table       what came of it
"""

from pgqueue.verify.protocol.conforming import conform
from pgqueue.verify.protocol.table import Found, lines

__all__ = ["Found", "conform", "lines"]
