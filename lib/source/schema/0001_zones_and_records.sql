-- Zones and their records, the normal form of owner names, and the triggers
-- that wake zonecast. A table of these names that is there already, or a view
-- in place of records, is left as it is.

create table if not exists zonecast.zones (
  name text primary key,
  mname text not null,
  rname text not null,
  refresh bigint not null default 3600,
  retry bigint not null default 600,
  expire bigint not null default 1209600,
  minimum bigint not null default 300,
  default_ttl bigint not null default 3600,
  soa_ttl bigint,
  serial_floor bigint,
  dialect text not null default 'zonecast'
);
comment on table zonecast.zones is
  'One row per zone served. Times in seconds; the serial is zonecast''s own.';
comment on column zonecast.zones.name is 'lower case, without a trailing dot';
comment on column zonecast.zones.mname is 'SOA MNAME, relative to the zone or with a trailing dot';
comment on column zonecast.zones.rname is 'SOA RNAME, relative to the zone or with a trailing dot';
comment on column zonecast.zones.soa_ttl is 'TTL of the SOA record; null means default_ttl';
comment on column zonecast.zones.serial_floor is 'published serials lie above it';

-- One owner, one text: absolute, ASCII lower case; \DDD for octets that cannot
-- be shown, \X for those that mean something in a master file. Never fails:
-- what is no escape, or lies outside ASCII, stays as it is written. Names nothing
-- of this schema: an index on it is kept by whoever writes to the user's table,
-- and that role need not know of zonecast.
create or replace function zonecast.owner(zone text, name text) returns text
language plpgsql immutable strict parallel safe as $owner$
declare
  origin text := zone;
  result text := name;
  texts text[] := array[zone, name];
begin
  if (zone || name) collate "C" ~ '^[A-Za-z0-9_*./-]*$' then
    origin := lower(origin collate "C");
    result := lower(result collate "C");
  else
    for i in 1..2 loop
      texts[i] := (
        select coalesce(string_agg(
          case
            when octet is null then token
            when octet between 65 and 90 then chr(octet + 32)
            when octet <= 32 or octet >= 127 then '\' || lpad(octet::text, 3, '0')
            when octet in (34, 36, 40, 41, 46, 59, 64, 92) and token <> '.' then '\' || chr(octet)
            else chr(octet)
          end, '' order by at), '')
        from (
          select at, token[1] as token,
            case
              when token[1] ~ '^\\[0-9]{3}$' then
                case when substr(token[1], 2)::integer <= 255 then substr(token[1], 2)::integer end
              when token[1] ~ '^\\.' then
                case when ascii(substr(token[1], 2)) < 128 then ascii(substr(token[1], 2)) end
              when token[1] <> '\' and ascii(token[1]) < 128 then ascii(token[1])
            end as octet
          from regexp_matches(texts[i], '\\[0-9]{3}|\\[^0-9]|.', 'g') with ordinality as t(token, at)
        ) as tokens
      );
    end loop;
    origin := texts[1];
    result := texts[2];
  end if;
  -- A name is absolute when it ends in a dot that no backslash escapes.
  if result !~ '(^|[^\\])(\\\\)*\.$' then
    if origin !~ '(^|[^\\])(\\\\)*\.$' then
      origin := origin || '.';
    end if;
    if name = '@' then
      return origin;
    end if;
    result := result || case when origin = '.' then '.' else '.' || origin end;
  end if;
  -- No name of 255 octets needs over 1,016 characters; what is longer is none, and
  -- is cut so that an index entry can hold it.
  return case when octet_length(result) > 1016 then left(result, 250) else result end;
end
$owner$;

-- Two spellings of one zone cannot be two zones.
do $zones$ begin
  if (select relkind from pg_class where oid = 'zonecast.zones'::regclass) in ('r', 'p') then
    create unique index if not exists zones_one_spelling
      on zonecast.zones (zonecast.owner(name, '@'));
  end if;
end $zones$;

-- Nothing here refuses a bad record: zonecast reports it and serves the rest.
create table if not exists zonecast.records (
  id bigint generated always as identity primary key,
  zone text not null references zonecast.zones (name) on delete cascade on update cascade,
  name text not null,
  type text not null,
  ttl bigint,
  content text not null,
  disabled boolean not null default false,
  owner text generated always as (zonecast.owner(zone, name)) stored
);

-- Once a statement; its argument says whose rows they are, whatever the table is
-- called. Only rows touched are news (TRUNCATE shows none: all may be gone). A
-- prepared transaction cannot carry a notification: the setting zonecast.notify
-- = off leaves the news to polling.
create or replace function zonecast.note_change() returns trigger
language plpgsql as $note$
declare
  touched boolean := true;
begin
  if tg_op in ('INSERT', 'UPDATE') then
    touched := exists (select from new_rows);
  elsif tg_op = 'DELETE' then
    touched := exists (select from old_rows);
  end if;
  if touched and current_setting('zonecast.notify', true) is distinct from 'off' then
    perform pg_notify('dns_zone_changed', '');
  end if;
  return null;
end
$note$;

-- Called by triggers on the user's own tables behind a view: these owners of
-- the zone changed (null: any may have). On UPDATE name OLD's and NEW's.
create or replace function zonecast.touch(zone text, names text[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $touch$
begin
  if zone is not null and (names is null or cardinality(names) > 0)
    and current_setting('zonecast.notify', true) is distinct from 'off' then
    perform pg_notify('dns_zone_changed', '');
  end if;
end
$touch$;

do $tables$
declare
  relation text;
  event text;
begin
  foreach relation in array array['zones', 'records'] loop
    if (select relkind not in ('r', 'p') from pg_class
        where oid = ('zonecast.' || relation)::regclass) then
      raise notice 'zonecast.% is a view: its tables need triggers that call zonecast.touch',
        relation;
      continue;
    end if;
    foreach event in array array['insert', 'update', 'delete', 'truncate'] loop
      if exists (select from pg_trigger where tgname = 'zonecast_' || event
          and tgrelid = ('zonecast.' || relation)::regclass) then
        continue;
      end if;
      execute format('create trigger %I after %s on zonecast.%I %s
        for each statement execute function zonecast.note_change(%L)',
        'zonecast_' || event, event, relation,
        case event
          when 'insert' then 'referencing new table as new_rows'
          when 'update' then 'referencing old table as old_rows new table as new_rows'
          when 'delete' then 'referencing old table as old_rows'
          else ''
        end, relation);
    end loop;
    if relation = 'records' then
      create index if not exists records_owner on zonecast.records (zone, owner);
    end if;
  end loop;
end $tables$;
