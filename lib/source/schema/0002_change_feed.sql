-- The change feed: which owners every transaction touched.

create table if not exists zonecast.changes (
  xid xid8 not null default pg_current_xact_id(),
  zone text,
  owner text,
  at timestamptz not null default clock_timestamp()
);
create index if not exists changes_xid on zonecast.changes (xid);
comment on table zonecast.changes is
  'Owners touched, by transaction; pruned by zonecast (--feed-retention).';
comment on column zonecast.changes.zone is 'null: any zone may have changed';
comment on column zonecast.changes.owner is
  'zonecast.owner(zone, name); null: any owner of the zone; empty: the zone''s settings alone';

-- Changes of transactions below this one may be pruned.
create table if not exists zonecast.feed_floor (
  one boolean primary key default true check (one),
  xid xid8 not null default '0'
);
insert into zonecast.feed_floor default values on conflict do nothing;

-- Notes what a statement touched, and wakes zonecast when that is anything. A
-- prepared transaction cannot carry a notification: the setting zonecast.notify
-- = off leaves the news to polling. The argument says whose rows they are,
-- whatever the table is called. Sorting would compare by locale: hash instead.
create or replace function zonecast.note_change() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp set enable_sort = off as $note$
declare
  noted bigint;
begin
  if tg_op = 'TRUNCATE' then
    insert into zonecast.changes (zone, owner) values (null, null);
  elsif tg_argv[0] = 'zones' then
    if tg_op = 'INSERT' then
      insert into zonecast.changes (zone, owner) select name, null from new_rows;
    elsif tg_op = 'DELETE' then
      insert into zonecast.changes (zone, owner) select name, null from old_rows;
    else
      -- Through jsonb: the user's own table may lack columns, or hold types without equality.
      insert into zonecast.changes (zone, owner)
        select coalesce(after.name, before.name),
          case when before.name is not null and after.name is not null
            and (to_jsonb(before) -> 'default_ttl') is not distinct from (to_jsonb(after) -> 'default_ttl')
            and (to_jsonb(before) -> 'dialect') is not distinct from (to_jsonb(after) -> 'dialect')
            then '' end
        from old_rows as before full join new_rows as after on before.name = after.name
        where to_jsonb(before) is distinct from to_jsonb(after);
    end if;
  elsif tg_op = 'INSERT' then
    insert into zonecast.changes (zone, owner)
      select distinct row.zone, row.owner from new_rows as row;
  else
    -- The rows of a zone removed or renamed, by cascade: the zone in one row.
    insert into zonecast.changes (zone, owner)
      select distinct row.zone, case when known.name is not null then row.owner end
      from old_rows as row left join zonecast.zones as known on known.name = row.zone;
    get diagnostics noted = row_count;
    if tg_op = 'UPDATE' and noted > 0 then
      insert into zonecast.changes (zone, owner)
        select distinct row.zone, row.owner from new_rows as row
        except select row.zone, row.owner from old_rows as row;
    end if;
  end if;
  if noted is null then
    get diagnostics noted = row_count;
  end if;
  if noted > 0 and current_setting('zonecast.notify', true) is distinct from 'off' then
    perform pg_notify('dns_zone_changed', 'feed');
  end if;
  return null;
end
$note$;

-- The zone's name as zones spells it; null when there is none.
create or replace function zonecast.find_zone(zone text) returns text
language sql stable as $find$
  select known.name from zonecast.zones as known
    where zonecast.owner(known.name, '@') = zonecast.owner(zone, '@')
$find$;

-- Called by triggers on the user's own tables behind a view: these owners of
-- the zone changed (null: any may have; zone null too: any of any zone). On
-- UPDATE name OLD's and NEW's.
create or replace function zonecast.touch(zone text, names text[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $touch$
declare
  stored text := zone;
  noted bigint;
begin
  if zone is null then
    insert into zonecast.changes (zone, owner) select null, null where names is null;
  else
    stored := coalesce(zonecast.find_zone(zone), zone);
    if names is null then
      insert into zonecast.changes (zone, owner) values (stored, null);
    else
      insert into zonecast.changes (zone, owner)
        select distinct stored, zonecast.owner(stored, name)
        from unnest(names) as name where name is not null;
    end if;
  end if;
  get diagnostics noted = row_count;
  if noted > 0 and current_setting('zonecast.notify', true) is distinct from 'off' then
    perform pg_notify('dns_zone_changed', 'feed');
  end if;
end
$touch$;
