"""Jobs that wait in another queue of this same database, moved into ours.

A batch is one transaction: its jobs are enqueued here and taken out there, or neither. So nothing is lost or doubled,
whatever ends the import, and the same command goes on where it was.
"""

from pgqueue.importing.moving import BATCH, look, move
from pgqueue.importing.report import Report
from pgqueue.importing.rules import Rule, rule_of, rules_in
from pgqueue.importing.sources import SOURCES, Payload, Source
from pgqueue.importing.translating import Terms

__all__ = ["BATCH", "SOURCES", "Payload", "Report", "Rule", "Source", "Terms", "look", "move", "rule_of", "rules_in"]
