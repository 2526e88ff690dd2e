"""The ledger of effects: what was done once, whatever is retried."""

from pgqueue.ledger.first import First
from pgqueue.ledger.forms import Outside, Within
from pgqueue.ledger.once import Once
from pgqueue.ledger.terms import KEEP, SCOPE, WAIT, OnUnknown, Terms

__all__ = ["KEEP", "SCOPE", "WAIT", "First", "OnUnknown", "Once", "Outside", "Terms", "Within"]
