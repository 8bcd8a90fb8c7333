/** The example of the README: a PaaS's own table served through a view. */

/** The user's own table. */
export const SERVICES_TABLE = `
create table public.services (
  name text primary key,   -- "blog" is served as blog.apps.example.com
  ipv4 inet,
  ipv6 inet
);`;

/** The view in place of the records, and the trigger that tells of changes. */
export const SERVICES_VIEW = `
-- The zone itself, and its records that are no services, stay in a table.
insert into zonecast.zones (name, mname, rname)
  values ('apps.example.com', 'ns1.example.com.', 'hostmaster.example.com.');
insert into zonecast.records (zone, name, type, content)
  values ('apps.example.com', '@', 'NS', 'ns1.example.com.'),
         ('apps.example.com', '@', 'NS', 'ns2.example.com.');
alter table zonecast.records rename to own_records;

-- A and AAAA per service.
create view zonecast.records as
  select zone, name, type, ttl, content, disabled, owner
  from zonecast.own_records
  union all
  select 'apps.example.com', service.name, address.type, 60, host(address.ip), false,
         zonecast.owner('apps.example.com', service.name)
  from public.services as service
  cross join lateral (values ('A', service.ipv4), ('AAAA', service.ipv6)) as address (type, ip)
  where address.ip is not null;

-- Finds the service behind an owner that changed.
create index on public.services (zonecast.owner('apps.example.com', name));

-- Tells zonecast which owners changed: on UPDATE the old names and the new.
create function public.services_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  names text[];
begin
  case tg_op
    when 'INSERT' then names := array(select name from new_rows);
    when 'DELETE' then names := array(select name from old_rows);
    when 'UPDATE' then names := array(select name from old_rows union select name from new_rows);
    else names := null;   -- TRUNCATE: any may have changed
  end case;
  perform zonecast.touch('apps.example.com', names);
  return null;
end $$;

create trigger services_inserted after insert on public.services
  referencing new table as new_rows
  for each statement execute function public.services_changed();
create trigger services_updated after update on public.services
  referencing old table as old_rows new table as new_rows
  for each statement execute function public.services_changed();
create trigger services_deleted after delete on public.services
  referencing old table as old_rows
  for each statement execute function public.services_changed();
create trigger services_truncated after truncate on public.services
  for each statement execute function public.services_changed();`;
