"""Questions about jobs, as people type them: `queue:mail task:send_* state:dead args.user.id=1 since:2h`."""

from pgqueue.search.candidate import Candidate
from pgqueue.search.grammar import parse
from pgqueue.search.matching import Matcher
from pgqueue.search.narrowing import Narrowing, narrowed
from pgqueue.search.query import Condition, Op, Query

__all__ = ["Candidate", "Condition", "Matcher", "Narrowing", "Op", "Query", "narrowed", "parse"]
