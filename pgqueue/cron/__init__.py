"""Schedules without a database: rules, local time, and which ticks are due. Nothing here looks at a clock."""

from pgqueue.cron.coming import Time, coming
from pgqueue.cron.deciding import Decision, Standing, Tick, decide
from pgqueue.cron.rule import Cron, Every, Rule
from pgqueue.cron.ticks import ticks_after
from pgqueue.cron.timing import TIMING_NAMES, CatchUp, Overlap, Timing, rule_of
from pgqueue.cron.zones import UnknownZone, tzdata_version, zone_of

__all__ = [
    "TIMING_NAMES",
    "CatchUp",
    "Cron",
    "Decision",
    "Every",
    "Overlap",
    "Rule",
    "Standing",
    "Tick",
    "Time",
    "Timing",
    "UnknownZone",
    "coming",
    "decide",
    "rule_of",
    "ticks_after",
    "tzdata_version",
    "zone_of",
]
