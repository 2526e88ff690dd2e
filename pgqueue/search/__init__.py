"""Questions about jobs, as people type them: `queue:mail task:send_* state:dead args.user.id=1 since:2h`."""

from pgqueue.search.candidate import Candidate
from pgqueue.search.grammar import parse, parse_kept, parse_within
from pgqueue.search.matching import Matcher
from pgqueue.search.moments import past_moment
from pgqueue.search.narrowing import Narrowing, narrowed
from pgqueue.search.query import Condition, Op, Query
from pgqueue.search.rewriting import asked_for, guessed, quoted, replaced, within, word
from pgqueue.search.words import words

__all__ = [
    "Candidate",
    "Condition",
    "Matcher",
    "Narrowing",
    "Op",
    "Query",
    "asked_for",
    "guessed",
    "narrowed",
    "parse",
    "parse_kept",
    "parse_within",
    "past_moment",
    "quoted",
    "replaced",
    "within",
    "word",
    "words",
]
