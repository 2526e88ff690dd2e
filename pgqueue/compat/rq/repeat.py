"""As `rq.repeat`."""

from pgqueue.compat.rq.options import Repeat

__all__ = ["Repeat"]
