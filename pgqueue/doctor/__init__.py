"""What is wrong with the database that a queue lives in, and what to do about it.

Each check has a name that stays, asks one bounded question, and answers a verdict: ok, warn, FAIL, or unknown where
this role may not see, or nobody answered in time. A check lives in the file of its subject; `checks.py` has them all.
"""

from pgqueue.doctor.bounds import Bounds
from pgqueue.doctor.checks import CHECKS
from pgqueue.doctor.run import diagnose
from pgqueue.doctor.verdict import Status, Verdict

__all__ = ["CHECKS", "Bounds", "Status", "Verdict", "diagnose"]
