"""Roles and their rights: which there are, the one table of what each may do, and how the database is held to it.

`functions.txt` and `relations.txt` beside this file are that table; everything that grants or checks reads them.
"""

from pgqueue.store.rights.matrix import PARTS, FunctionRight, RelationRight, function_rights, relation_rights
from pgqueue.store.rights.statements import Role, amiss, become, give, has_roles, made, make, may_become, members

__all__ = [
    "PARTS",
    "FunctionRight",
    "RelationRight",
    "Role",
    "amiss",
    "become",
    "function_rights",
    "give",
    "has_roles",
    "made",
    "make",
    "may_become",
    "members",
    "relation_rights",
]
