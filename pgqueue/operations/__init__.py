"""Bulk actions over what a query finds: previewed, then done batch by batch, to be stopped and to go on."""

from pgqueue.operations.driving import drive_detached
from pgqueue.operations.manner import TYPED, in_words, is_to_be_typed, rate_of, share_of
from pgqueue.operations.plan import BATCH, PAST, STATES, WAITING, Plan, asked, begin, get
from pgqueue.operations.previews import COUNTED, Left, Preview, counted, left, preview
from pgqueue.operations.steps import Export, Progress, step

__all__ = [
    "BATCH",
    "COUNTED",
    "PAST",
    "STATES",
    "TYPED",
    "WAITING",
    "Export",
    "Left",
    "Plan",
    "Preview",
    "Progress",
    "asked",
    "begin",
    "counted",
    "drive_detached",
    "get",
    "in_words",
    "is_to_be_typed",
    "left",
    "preview",
    "rate_of",
    "share_of",
    "step",
]
