"""Rates in words, right and wrong: Python and the database read them alike."""

from __future__ import annotations

RIGHT = [
    ("100/m", 100, 60),
    ("50/s", 50, 1),
    ("1000/h", 1000, 3600),
    ("5/10s", 5, 10),
    ("20/d", 20, 86_400),
    ("1/31d", 1, 31 * 86_400),
    ("1000000000/s", 1_000_000_000, 1),
]
# What is wrong, and what stands in the advice.
WRONG = [
    ("100/min", "'100/m'"),
    ("100 per minute", "'100/m'"),
    ("100/ m", "'100/m'"),
    ("100/M", "'100/m'"),
    ("5/10 seconds", "'5/10s'"),
    ("5 in 10s", "'5/10s'"),
    ("20 a day", "'20/d'"),
    ("10 jobs per hour", "'10/h'"),
    ("5/10", "'5/10s'"),
    ("5/100ms", "in a s, m, h or d"),
    ("fast", "in a s, m, h or d"),
    ("", "in a s, m, h or d"),
    ("1.5/s", "in a s, m, h or d"),
    ("-1/s", "in a s, m, h or d"),
    ("٣/s", "in a s, m, h or d"),
    ("0/s", "pause the queue"),
    ("1000000001/s", "pause the queue"),
    ("9/0s", "20/d"),
    ("9/32d", "20/d"),
    ("9/9999999d", "20/d"),
]
