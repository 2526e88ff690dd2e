"""The server itself: its version, settings under which the promises do not hold, encryption, what this role may see."""

from __future__ import annotations

from pgqueue.doctor.patient import Patient, first
from pgqueue.doctor.verdict import Found, fail, listed, ok, warn, worst

OLDEST_VERSION = 140_000


def server(patient: Patient) -> Found:
    """A PostgreSQL that is new enough, and takes writes."""
    version, number, standby, read_only, writable = first(patient.ask("server"))
    if number < OLDEST_VERSION:
        return fail(f"PostgreSQL {version}; pgqueue needs 14 or newer", "upgrade the server")
    if standby:
        return warn(
            f"PostgreSQL {version}, a standby: nothing can be enqueued or claimed here",
            "name the primary in the DSN, or all hosts with target_session_attrs=read-write",
        )
    if read_only:
        return fail(f"PostgreSQL {version}; sessions begin read-only", sql=[writable])
    return ok(f"PostgreSQL {version}, takes writes")


def settings(patient: Patient) -> Found:
    """Settings that keep what is promised."""
    wrong = patient.ask("settings")
    if not wrong:
        return ok("durable, and statistics are kept")
    text = listed([f"{name} is {value}: {why}" for name, value, _, why, _ in wrong])
    status = worst([row[2] for row in wrong])
    cures = tuple(row[4] for row in wrong)
    return Found(status, text, cures[0], cures)


def tls(patient: Patient) -> Found:
    """An encrypted connection to a server that has shown who it is, where it leaves the machine."""
    encrypted, address, stays, offered = first(patient.ask("tls"))
    if stays:
        return ok(f"{'encrypted' if encrypted else 'not encrypted'}, and does not leave the machine")
    if encrypted:
        return _how_far_verified(address, patient.conn.info.get_parameters().get("sslmode", "prefer"))
    if offered:
        return warn(f"not encrypted, to {address}, though the server offers it", "add sslmode=verify-full to the DSN")
    return warn(
        f"not encrypted, to {address}: names, arguments and passwords can be read on the way",
        "alter system set ssl = on; select pg_reload_conf();  -- and sslmode=verify-full in the DSN",
        ["alter system set ssl = on;", "select pg_reload_conf();"],
    )


def _how_far_verified(address: str, mode: str) -> Found:
    if mode == "verify-full":
        return ok(f"encrypted, to {address}, whose certificate was verified")
    if mode == "verify-ca":
        text = f"encrypted, to {address}; sslmode=verify-ca takes any certificate of the authority, of whatever host"
    else:
        text = f"encrypted, to {address}; sslmode={mode} takes any certificate: who stands between can read it all"
    return warn(text, "sslmode=verify-full and sslrootcert=system, or the file of your authority, in the DSN")


def privileges(patient: Patient) -> Found:
    """What this role may see of others' sessions; without it some checks answer unknown."""
    may_see, role, grant = first(patient.ask("may_see"))
    if may_see:
        return ok(f"{role} may see what other sessions do")
    return warn(
        f"{role} may not see what other roles' sessions do: horizon, notify_queue and explain know less",
        sql=[grant],
    )
