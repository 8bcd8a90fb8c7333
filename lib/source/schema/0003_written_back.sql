-- What zonecast tells in return: what it published, who shows it, what it could
-- not serve. And zonecast.wait_live, for applications that wait for their change.

create table if not exists zonecast.published (
  zone text not null,
  serial bigint not null,
  published_at timestamptz not null,
  added bigint not null,
  removed bigint not null,
  changed_at timestamptz,
  snapshot pg_snapshot,
  instance text not null,
  primary key (zone, serial, instance)
);
create index if not exists published_newest on zonecast.published (zone, published_at desc);
comment on table zonecast.published is 'One row per zone version; pruned by zonecast.';
comment on column zonecast.published.changed_at is 'when the newest change in it was made';
comment on column zonecast.published.snapshot is 'what was committed by then is in it';
comment on column zonecast.published.instance is 'the state file it was published from';

create table if not exists zonecast.secondaries (
  zone text not null,
  secondary text not null,
  serial bigint,
  seen_at timestamptz,
  last_notify timestamptz,
  last_transfer timestamptz,
  kind text,
  state text not null,
  instance text not null,
  primary key (zone, secondary)
);
comment on column zonecast.secondaries.serial is 'the one seen: of all its servers, the farthest behind';
comment on column zonecast.secondaries.kind is 'of the last transfer: axfr or ixfr';
comment on column zonecast.secondaries.state is 'unknown, notified, transferred, live or behind';

create table if not exists zonecast.problems (
  id text primary key,
  zone text not null,
  owner text,
  name text not null,
  type text not null,
  content text not null,
  code text not null,
  reason text not null,
  since timestamptz not null default now()
);
create index if not exists problems_owner on zonecast.problems (zone, owner);
comment on table zonecast.problems is 'What is not served as written, now.';

create table if not exists zonecast.readers (
  instance text primary key,
  snapshot pg_snapshot,
  read_at timestamptz not null default now(),
  pending text[] not null default '{}',
  secondaries text[]
);
comment on table zonecast.readers is 'How far each zonecast has read.';
comment on column zonecast.readers.pending is 'zones whose changes wait or are held';

-- RFC 1982: whether a server that shows the one serial has the other's version.
create or replace function zonecast.serial_reached(seen bigint, wanted bigint) returns boolean
language sql immutable strict parallel safe as $reached$
  select (seen - wanted + 4294967296) % 4294967296 < 2147483648
$reached$;

-- The zonecast that publishes a zone: several may divide the zones of a database.
-- Before its first version any may be it.
create or replace function zonecast.reader_of(zone text) returns setof zonecast.readers
language sql stable as $reader$
  select one.* from zonecast.readers as one
  where one.instance = coalesce((
    select instance from zonecast.published as newest where newest.zone = reader_of.zone
    order by newest.published_at desc limit 1), one.instance)
  order by one.read_at desc limit 1
$reader$;

-- How many of a zone's secondaries show a serial. "of" is null when nobody said
-- how many there are.
create or replace function zonecast.count_live(
  zone text, serial bigint,
  out live integer, out "of" integer, out missing text
) language sql stable as $count$
  with said as (
    select secondaries from zonecast.reader_of(count_live.zone) where secondaries is not null
  ), expected as (
    select secondary from said, unnest(said.secondaries) as secondary
    union
    select secondary from zonecast.secondaries as seen
    where seen.zone = count_live.zone and not exists (select from said)
  ), standing as (
    select secondary, coalesce((
      select zonecast.serial_reached(seen.serial, count_live.serial)
      from zonecast.secondaries as seen
      where seen.zone = count_live.zone and seen.secondary = expected.secondary), false) as shows
    from expected
  )
  select count(*) filter (where shows)::integer,
    case when count(*) > 0 or exists (select from said) then count(*)::integer end,
    string_agg(secondary, ', ' order by secondary) filter (where not shows)
  from standing
$count$;

-- The zone's name as zones spells it.
create or replace function zonecast.stored_zone(zone text) returns text
language plpgsql stable as $stored$
declare
  stored text := zonecast.find_zone(zone);
begin
  if stored is null then
    raise exception 'there is no zone "%"', zone using errcode = 'no_data_found';
  end if;
  return stored;
end
$stored$;

-- What became of a committed transaction, as far as can be seen at this moment.
-- Its statements look in the order opposite to that in which zonecast writes.
create or replace function zonecast.look_live(
  stored text, xid xid8,
  out final boolean, out state text, out serial bigint, out live integer, out "of" integer,
  out reason text
) language plpgsql as $look$
declare
  status text := pg_xact_status(xid);
  touched boolean;
  reader zonecast.readers;
  version zonecast.published;
  problem zonecast.problems;
  missing text;
begin
  final := false;
  select newest.serial into serial from zonecast.published as newest
    where newest.zone = stored order by newest.published_at desc limit 1;
  select count.live, count."of" into live, "of" from zonecast.count_live(stored, serial) as count;
  if status = 'aborted' then
    final := true; state := 'unchanged'; reason := 'the transaction was rolled back';
    return;
  elsif status = 'in progress' then
    state := 'timeout'; reason := 'the transaction has not ended';
    serial := null; live := null; "of" := null;
    return;
  end if;
  touched := exists (select from zonecast.changes as change
    where change.xid = look_live.xid and (change.zone = stored or change.zone is null));
  if not touched and xid >= (select floor.xid from zonecast.feed_floor as floor) then
    final := true; state := 'unchanged';
    reason := 'the transaction touched no record of the zone';
    return;
  end if;

  select * into reader from zonecast.readers as one
    where pg_snapshot_xmax(one.snapshot) <= pg_snapshot_xmax(pg_current_snapshot())
      and pg_visible_in_snapshot(xid, one.snapshot)
      and (stored = any (one.pending)
        or one.instance = (select own.instance from zonecast.reader_of(stored) as own))
    order by one.read_at desc limit 1;
  version := zonecast.first_version(stored, xid);
  if reader.instance is null and version.zone is null then
    state := 'timeout'; serial := null; live := null; "of" := null;
    select 'zonecast has not read the transaction'
      || coalesce('; its last read was at ' || max(one.read_at), ': it never wrote back')
      into reason from zonecast.readers as one;
    return;
  end if;
  serial := coalesce(version.serial, serial);
  select count.live, count."of", count.missing into live, "of", missing
    from zonecast.count_live(stored, serial) as count;

  -- A TTL that differs within its RRset is served, lowered.
  select bad.* into problem from zonecast.problems as bad
    where bad.zone = stored and bad.code <> 'ttls-differ' and exists (
      select from zonecast.changes as change
      where change.xid = look_live.xid and case
        when change.zone = stored and change.owner is not null then change.owner = bad.owner
        -- All of a zone was touched: a row that was bad before is not this transaction's.
        else (change.zone is null or change.zone = stored) and bad.since >= change.at end)
    order by bad.owner is null, bad.since desc limit 1;
  if problem.owner is not null then
    final := true; state := 'bad_row';
    reason := format('%s %s: %s', problem.name, problem.type, problem.reason);
  elsif version.zone is null and stored = any (reader.pending) then
    select bad.reason into reason from zonecast.problems as bad
      where bad.zone = stored and bad.owner is null order by bad.since desc limit 1;
    final := reason is not null; state := 'held';
    reason := coalesce(reason, 'its changes wait');
  elsif version.zone is null then
    final := true; state := 'unchanged';
    reason := 'the transaction changed nothing that is served';
  elsif live = "of" and "of" > 0 then
    final := true; state := 'live';
  else
    final := "of" = 0; state := 'published';
    reason := case when "of" = 0 then 'there are no secondaries' else 'not shown by ' || missing end;
  end if;
end
$look$;

-- The first version a transaction is in. From the newest back: the last ones are asked for.
create or replace function zonecast.first_version(stored text, xid xid8)
returns zonecast.published language plpgsql as $first$
declare
  version zonecast.published;
  first zonecast.published;
  older integer := 0; -- versions in a row without it; a second zonecast may lag behind
begin
  for version in select * from zonecast.published as one
    where one.zone = stored and one.snapshot is not null
      and pg_snapshot_xmax(one.snapshot) <= pg_snapshot_xmax(pg_current_snapshot())
    order by one.published_at desc
  loop
    if pg_visible_in_snapshot(xid, version.snapshot) then
      first := version;
      older := 0;
    else
      older := older + 1;
      exit when older > 10;
    end if;
  end loop;
  return first;
end
$first$;

create or replace function zonecast.must_see_commits(wanted xid8) returns void
language plpgsql as $must$
begin
  if current_setting('transaction_isolation') in ('repeatable read', 'serializable') then
    raise exception 'zonecast.wait_live cannot see what is committed while it waits: this transaction is %',
      upper(current_setting('transaction_isolation'))
      using errcode = 'active_sql_transaction', hint = 'call it in a READ COMMITTED transaction, or in none';
  end if;
  if wanted = pg_current_xact_id_if_assigned() then
    raise exception 'zonecast.wait_live was called inside the transaction it is to wait for'
      using errcode = 'active_sql_transaction',
        hint = 'note pg_current_xact_id() there, commit, then call it';
  end if;
end
$must$;

-- Waits until a transaction's changes of a zone are shown by all its secondaries,
-- or until it is clear that they will not be. Take pg_current_xact_id() inside the
-- transaction, commit, then call this. States: live, published (not by all of them
-- shown in time), unchanged, held, bad_row, timeout.
create or replace function zonecast.wait_live(
  zone text, xid xid8, timeout interval default '30 s',
  out state text, out serial bigint, out live integer, out "of" integer, out reason text
) language plpgsql security definer set search_path = pg_catalog, pg_temp as $wait$
declare
  stored text;
  ends timestamptz := clock_timestamp() + timeout;
  nap float8 := 0.02;
  final boolean;
begin
  perform zonecast.must_see_commits(xid);
  stored := zonecast.stored_zone(zone);
  loop
    select look.final, look.state, look.serial, look.live, look."of", look.reason
      into final, state, serial, live, "of", reason
      from zonecast.look_live(stored, xid) as look;
    exit when final or clock_timestamp() >= ends;
    perform pg_sleep(least(nap, greatest(extract(epoch from ends - clock_timestamp()), 0)));
    nap := least(nap * 1.2, 0.25);
  end loop;
end
$wait$;

-- Waits until a zone's version of this serial, or a later one, is shown by all
-- its secondaries.
create or replace function zonecast.wait_live(
  zone text, wanted bigint, timeout interval default '30 s',
  out state text, out serial bigint, out live integer, out "of" integer, out reason text
) language plpgsql security definer set search_path = pg_catalog, pg_temp as $wait$
declare
  stored text;
  ends timestamptz := clock_timestamp() + timeout;
  nap float8 := 0.02;
  missing text;
begin
  perform zonecast.must_see_commits(null);
  stored := zonecast.stored_zone(zone);
  loop
    select newest.serial into serial from zonecast.published as newest
      where newest.zone = stored order by newest.published_at desc limit 1;
    select count.live, count."of", count.missing into live, "of", missing
      from zonecast.count_live(stored, wanted) as count;
    if serial is null or not zonecast.serial_reached(serial, wanted) then
      state := 'timeout';
      reason := 'the serial is not published; the last is ' || coalesce(serial::text, 'none');
    elsif live = "of" and "of" > 0 then
      state := 'live'; reason := null;
    else
      state := 'published';
      reason := case when "of" = 0 then 'there are no secondaries' else 'not shown by ' || missing end;
    end if;
    exit when state = 'live' or (state = 'published' and "of" = 0) or clock_timestamp() >= ends;
    perform pg_sleep(least(nap, greatest(extract(epoch from ends - clock_timestamp()), 0)));
    nap := least(nap * 1.2, 0.25);
  end loop;
end
$wait$;
