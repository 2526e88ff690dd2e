"""Roles in the database: made, given their rights, and asked for. Each function returns a Statement."""

from __future__ import annotations

import json
from typing import NamedTuple

from pgqueue.store.rights.matrix import function_rights, relation_rights
from pgqueue.store.statement import Statement, nothing, only_value


class Role(NamedTuple):
    """A role that was made for a part of pgqueue; `is_there` is whether the server still has it."""

    part: str
    role: str
    is_there: bool
    members: list[str]


def has_roles() -> Statement[bool]:
    """Whether this schema can have roles: not before revision 0016."""
    return Statement("select pg_catalog.to_regclass('pgqueue.roles') is not null", (), only_value)


def made() -> Statement[dict[str, str]]:
    """The roles that were made, by part; none as a rule. O(1)."""
    return Statement("select part, role from pgqueue.roles", (), lambda rows: {row[0]: row[1] for row in rows})


def members() -> Statement[list[Role]]:
    """The roles that were made, in the order of parts, and who is a member of each. Reads the catalogue."""
    return Statement(_MEMBERS, (), lambda rows: [Role(*row) for row in rows])


_MEMBERS = """
select p.part, p.role, r.oid is not null,
       array(select m.rolname::text from pg_auth_members as a join pg_roles as m on m.oid = a.member
             where a.roleid = r.oid order by m.rolname)
from pgqueue.roles as p left join pg_roles as r on r.rolname = p.role
order by array_position('{producer,worker,job,operator,reader,admin,migrator}'::text[], p.part::text)
"""


def may_become(role: str) -> Statement[bool]:
    """Whether this session may act as a role."""
    return Statement("select pg_has_role($1::name, 'member')", (role,), only_value)


def become(role: str) -> Statement[None]:
    """Act as a role until the transaction ends."""
    return Statement("select set_config('role', $1::text, true)", (role,), nothing)


def make(prefix: str) -> Statement[list[str]]:
    """Make what is missing of the roles; the roles that functions were taken from, as they run as their owner now."""
    return Statement("select pgqueue.make_roles($1::text)", (prefix,), only_value)


def give() -> Statement[int]:
    """Give each role its rights, and take what is beyond them; how many statements that took. Reads the catalogue."""
    return Statement("select pgqueue.give_rights($1::json, $2::json)", _matrix(), only_value)


def amiss() -> Statement[list[str]]:
    """The statements that give() would run: none if all rights are as they should be. Reads the catalogue."""
    sql = "select cure from pgqueue.rights_amiss($1::json, $2::json) order by step, cure"
    return Statement(sql, _matrix(), lambda rows: [row[0] for row in rows])


def _matrix() -> tuple[str, str]:
    functions = [{"name": each.name, "roles": each.roles, "definer": each.definer} for each in function_rights()]
    relations = [
        {"name": each.name, "role": each.role, "privilege": each.privilege, "columns": each.columns, "but": each.but}
        for each in relation_rights()
    ]
    return json.dumps(functions), json.dumps(relations)
