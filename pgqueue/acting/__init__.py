"""What people do by hand, whatever the door: the shell, a page, a program.

Each act is one transaction: what is done, and the row of the audit that says who did it and why. What was not done is
not written down. Where the caller's transaction is open on `conn`, the act is a part of that.
"""

from pgqueue.acting.audited import Act, Actor, audited

__all__ = ["Act", "Actor", "audited"]
