-- The ways by which people are told, without their settings for who may not read these: they may hold secrets.
create or replace view pgqueue.alert_channels_shown as
  select c.name, c.kind,
         case when has_column_privilege('pgqueue.alert_channels'::regclass, 'settings', 'select') then c.settings
              else '{}' end as settings,
         c.kinds, c.made_at
  from pgqueue.alert_channels as c;
