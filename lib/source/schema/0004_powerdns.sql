-- The tables of PowerDNS' gpgsql backend, served as they are.

-- Serves the domains of the PowerDNS tables in a schema, but for those PowerDNS
-- has from another primary: makes two views, which zonecast reads, and triggers
-- on both tables. Again does no harm. A zone that is also in zonecast.zones is
-- served from there.
create or replace function zonecast.serve_powerdns(schema text default 'public') returns void
language plpgsql as $serve$
declare
  relation text;
  event text;
begin
  execute format($view$
    create or replace view zonecast.powerdns_domains as
      select id, name::text as name from %I.domains
      where upper(type) not in ('SLAVE', 'SECONDARY', 'CONSUMER')$view$, schema);
  -- Without a SOA record a domain is not served: PowerDNS does not either.
  execute format($view$
    create or replace view zonecast.powerdns_zones as
      select domain.name, soa.content, soa.ttl::bigint as ttl
      from zonecast.powerdns_domains as domain
      cross join lateral (
        select content::text as content, ttl from %I.records
        where name = domain.name and type = 'SOA' and domain_id = domain.id
          and disabled is not true
        order by content limit 1) as soa$view$, schema);
  -- Rows without a type are PowerDNS' empty non-terminals.
  execute format($view$
    create or replace view zonecast.powerdns_records as
      select domain.name as zone, record.name::text as name, record.type::text as type,
        record.ttl::bigint as ttl, record.content::text as content, record.prio::bigint as prio
      from %I.records as record
      join zonecast.powerdns_domains as domain on domain.id = record.domain_id
      where record.type <> '' and record.type <> 'SOA' and record.name is not null
        and record.disabled is not true$view$, schema);

  foreach relation in array array['domains', 'records'] loop
    foreach event in array array['insert', 'update', 'delete', 'truncate'] loop
      execute format('drop trigger if exists %I on %I.%I', 'zonecast_' || event, schema, relation);
      execute format('create trigger %I after %s on %I.%I %s
        for each statement execute function zonecast.note_powerdns(%L)',
        'zonecast_' || event, event, schema, relation,
        case event
          when 'insert' then 'referencing new table as new_rows'
          when 'update' then 'referencing old table as old_rows new table as new_rows'
          when 'delete' then 'referencing old table as old_rows'
          else ''
        end, relation);
    end loop;
  end loop;
  perform zonecast.touch(null, null);
end
$serve$;

-- What a statement of PowerDNS touched; what it keeps for itself (notified_serial,
-- ordername, …) is no change.
create or replace function zonecast.note_powerdns() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp set enable_sort = off as $note$
declare
  noted bigint;
begin
  if tg_op = 'TRUNCATE' then
    insert into zonecast.changes (zone, owner) values (null, null);
  elsif tg_argv[0] = 'domains' then
    if tg_op = 'INSERT' then
      insert into zonecast.changes (zone, owner) select name, null from new_rows;
    elsif tg_op = 'DELETE' then
      insert into zonecast.changes (zone, owner) select name, null from old_rows;
    else
      insert into zonecast.changes (zone, owner)
        select distinct row.name, null
        from old_rows as before join new_rows as after on before.id = after.id
        cross join lateral (values (before.name), (after.name)) as row (name)
        where (before.name, before.type) is distinct from (after.name, after.type);
    end if;
  elsif tg_op = 'INSERT' then
    insert into zonecast.changes (zone, owner)
      select distinct domain.name, zonecast.powerdns_owner(domain.name, row.name, row.type)
      from new_rows as row join zonecast.powerdns_domains as domain on domain.id = row.domain_id
      where row.type <> '' and row.name is not null;
  elsif tg_op = 'DELETE' then
    -- Those of a domain removed find none: the domain itself was noted.
    insert into zonecast.changes (zone, owner)
      select distinct domain.name, zonecast.powerdns_owner(domain.name, row.name, row.type)
      from old_rows as row join zonecast.powerdns_domains as domain on domain.id = row.domain_id
      where row.type <> '' and row.name is not null;
  else
    insert into zonecast.changes (zone, owner)
      select distinct domain.name, zonecast.powerdns_owner(domain.name, row.name, row.type)
      from old_rows as before full join new_rows as after on before.id = after.id
      cross join lateral (values (before.domain_id, before.name, before.type),
        (after.domain_id, after.name, after.type)) as row (domain_id, name, type)
      join zonecast.powerdns_domains as domain on domain.id = row.domain_id
      where row.type <> '' and row.name is not null
        and (before.domain_id, before.name, before.type, before.content, before.ttl,
            before.prio, before.disabled)
          is distinct from (after.domain_id, after.name, after.type, after.content, after.ttl,
            after.prio, after.disabled);
  end if;
  get diagnostics noted = row_count;
  if noted > 0 and current_setting('zonecast.notify', true) is distinct from 'off' then
    perform pg_notify('dns_zone_changed', 'feed');
  end if;
  return null;
end
$note$;

-- What changes calls a row of PowerDNS: its SOA is the zone's settings.
create or replace function zonecast.powerdns_owner(zone text, name text, type text) returns text
language sql immutable parallel safe as $owner$
  select case when type = 'SOA' then '' else zonecast.owner(zone, name || '.') end
$owner$;

create or replace function zonecast.find_zone(zone text) returns text
language plpgsql stable as $find$
declare
  stored text;
begin
  select known.name into stored from zonecast.zones as known
    where zonecast.owner(known.name, '@') = zonecast.owner(zone, '@');
  if stored is null and to_regclass('zonecast.powerdns_zones') is not null then
    execute 'select name from zonecast.powerdns_zones where name = $1' into stored
      using rtrim(lower(zone), '.');
  end if;
  return stored;
end
$find$;
