-- What zonecast holds until somebody says that it is meant, and the saying so.

create table if not exists zonecast.held (
  zone text not null,
  id text not null,
  since timestamptz not null,
  reason text not null,
  owners text[],
  owner_count bigint not null,
  removed bigint not null,
  added bigint not null,
  servable boolean not null,
  instance text not null,
  primary key (zone, instance)
);
comment on table zonecast.held is 'Changes that are not published until they are approved, now.';
comment on column zonecast.held.id is 'stands for exactly this content';
comment on column zonecast.held.owners is 'whose records are held; null: any owner of the zone';
comment on column zonecast.held.removed is 'records that would go';
comment on column zonecast.held.added is 'records that would come';
comment on column zonecast.held.servable is 'false: it cannot be approved as it is';

create table if not exists zonecast.approvals (
  zone text not null,
  id text not null,
  at timestamptz not null default clock_timestamp(),
  by text not null default session_user,
  primary key (zone, id)
);
comment on table zonecast.approvals is 'Approvals that zonecast has not acted on yet.';

-- Releases what is held of a zone under an id: exactly that content, as soon as
-- zonecast has read it again. Whoever may write records may not call this, unless
-- execute is granted.
create or replace function zonecast.approve(zone text, id text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $approve$
declare
  hold zonecast.held;
begin
  select one.* into hold from zonecast.held as one
    where zonecast.owner(one.zone, '@') = zonecast.owner(approve.zone, '@')
    order by one.id = lower(approve.id) desc limit 1;
  if hold.id is null then
    raise exception 'nothing of the zone "%" is held', zone using errcode = 'no_data_found';
  elsif hold.id <> lower(id) then
    raise exception 'nothing of the zone "%" is held as %', zone, id
      using errcode = 'no_data_found', hint = format('it is held as %s: %s', hold.id, hold.reason);
  elsif not hold.servable then
    raise exception '% of the zone "%" cannot be served: %', id, zone, hold.reason
      using errcode = 'object_not_in_prerequisite_state',
        hint = 'give it its NS records back; to end the zone, delete its row in zones';
  end if;
  insert into zonecast.approvals (zone, id) values (hold.zone, hold.id) on conflict do nothing;
  insert into zonecast.changes (zone, owner) values (hold.zone, '');
  if current_setting('zonecast.notify', true) is distinct from 'off' then
    perform pg_notify('dns_zone_changed', 'feed');
  end if;
end
$approve$;
revoke execute on function zonecast.approve(text, text) from public;

-- Why a committed transaction's changes of a zone are held, where one of them is;
-- null: none, or not read yet.
create or replace function zonecast.look_held(stored text, xid xid8) returns text
language sql stable as $look$
  select format('held as %s: %s', hold.id, hold.reason)
  from zonecast.held as hold
  join zonecast.readers as reader on reader.instance = hold.instance
  where hold.zone = stored
    and pg_snapshot_xmax(reader.snapshot) <= pg_snapshot_xmax(pg_current_snapshot())
    and pg_visible_in_snapshot(xid, reader.snapshot)
    and exists (
      select from zonecast.changes as change where change.xid = look_held.xid
        and (change.zone is null or change.zone = stored and (
          change.owner is null or hold.owners is null or change.owner = any (hold.owners))))
  limit 1
$look$;

-- As before, and held where one of the owners touched is. Looked at before and
-- after all else: what is held and what is published change in one transaction.
create or replace function zonecast.wait_live(
  zone text, xid xid8, timeout interval default '30 s',
  out state text, out serial bigint, out live integer, out "of" integer, out reason text
) language plpgsql security definer set search_path = pg_catalog, pg_temp as $wait$
declare
  stored text;
  ends timestamptz := clock_timestamp() + timeout;
  nap float8 := 0.02;
  final boolean;
  held text;
begin
  perform zonecast.must_see_commits(xid);
  stored := zonecast.stored_zone(zone);
  loop
    held := zonecast.look_held(stored, xid);
    if held is null then
      select look.final, look.state, look.serial, look.live, look."of", look.reason
        into final, state, serial, live, "of", reason
        from zonecast.look_live(stored, xid) as look;
      held := zonecast.look_held(stored, xid);
    end if;
    if held is not null then
      state := 'held'; serial := null; live := null; "of" := null; reason := held;
      exit;
    end if;
    exit when final or clock_timestamp() >= ends;
    perform pg_sleep(least(nap, greatest(extract(epoch from ends - clock_timestamp()), 0)));
    nap := least(nap * 1.2, 0.25);
  end loop;
end
$wait$;
