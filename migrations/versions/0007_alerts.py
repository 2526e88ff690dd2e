"""Telling people: what is wrong and since when, by which channels they hear of it, and which messages were made."""

from alembic import op

revision = "0007"
down_revision = "0006"

# By which way people are told. `settings` hold no secret, but the names of variables in which workers have them
# (docs/design/telling-people.md). `kinds`: null is all.
CHANNELS = """
create table pgqueue.alert_channels (
  name     text collate "C" not null constraint alert_channels_pkey primary key check (name ~ '^[A-Za-z0-9_.-]{1,60}$'),
  kind     text collate "C" not null check (kind in ('smtp', 'webhook', 'command')),
  settings json             not null check (json_typeof(settings) = 'object'),
  kinds    text[],
  made_at  timestamptz      not null default clock_timestamp()
)
"""

# From where on something is an alert, where that is not as alert_bounds() has it; object '' is every. Null is never.
RULES = """
create table pgqueue.alert_rules (
  kind   text collate "C" not null,
  object text collate "C" not null default '',
  bound  float8           check (bound >= 0),
  constraint alert_rules_pkey primary key (kind, object)
)
"""

# A row for each thing that is or was wrong. `opened_at`: since when, this time; `noticed_at`: since when that is known;
# `last_at`: until when, so far. `n`: how often since it opened, or how much now. `bad`, `well`: looks in a row.
# `told`: a message was made, this time; `told_n`: what n was then. `in_storm`: by a digest.
ALERTS = """
create table pgqueue.alerts (
  key          text collate "C" not null constraint alerts_pkey primary key check (length(key) <= 200),
  kind         text collate "C" not null,
  object       text             not null,
  state        text collate "C" not null default 'well' check (state in ('gathering', 'open', 'well')),
  opened_at    timestamptz,
  noticed_at   timestamptz,
  last_at      timestamptz,
  n            bigint           not null default 0,
  bad          integer          not null default 0,
  well         integer          not null default 0,
  told         boolean          not null default false,
  told_at      timestamptz,
  told_n       bigint           not null default 0,
  in_storm     boolean          not null default false,
  last_sent_at timestamptz,
  facts        json,
  muted_until  timestamptz,
  muted_by     text
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)
"""
ALERTS_OPEN = "create index alerts_open on pgqueue.alerts (key) where state <> 'well'"

# What is told, a row a channel: `number` is the moment in milliseconds, the same for all channels.
MESSAGES = """
create table pgqueue.alert_messages (
  key        text collate "C" not null,
  channel    text collate "C" not null,
  number     bigint           not null,
  what       text collate "C" not null check (what in ('opened', 'again', 'resolved', 'digest', 'test')),
  made_at    timestamptz      not null,
  facts      json             not null,
  sent_at    timestamptz,
  superseded boolean          not null default false,
  failures   integer          not null default 0,
  error      text,
  constraint alert_messages_pkey primary key (key, channel, number)
)
"""
# What is old is forgotten; what waits is looked at.
MESSAGES_INDEXES = (
    "create index alert_messages_made on pgqueue.alert_messages (made_at)",
    "create index alert_messages_unsent on pgqueue.alert_messages (made_at) where sent_at is null and not superseded",
)


def upgrade() -> None:
    for statement in (
        CHANNELS,
        RULES,
        ALERTS,
        ALERTS_OPEN,
        MESSAGES,
        *MESSAGES_INDEXES,
        "insert into pgqueue.duties (name) values ('alerts'), ('doctor')",
        "comment on table pgqueue.alert_channels is 'By which ways people are told what is wrong'",
        "comment on table pgqueue.alert_rules is 'From where on something is an alert'",
        "comment on table pgqueue.alerts is 'What is or was wrong, since when, and whether people were told'",
        "comment on table pgqueue.alert_messages is 'What people were told, by which channel'",
    ):
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("migrations of pgqueue only go forward; restore a backup instead")
