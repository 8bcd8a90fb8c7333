-- Problems say how bad they are, and what to do: an error is not served as written,
-- what is only warned of is.

alter table zonecast.problems
  add column if not exists severity text not null default 'error',
  add column if not exists hint text;
update zonecast.problems set severity = 'warning' where code = 'ttls-differ';
comment on table zonecast.problems is
  'What is not served as written, or hardly should be, now; of more than 10,000 one row a zone says how many.';
comment on column zonecast.problems.severity is 'error: not served as written; warning: served';
comment on column zonecast.problems.code is 'the verdict, as the README lists them';

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

  -- What is only warned of is served.
  select bad.* into problem from zonecast.problems as bad
    where bad.zone = stored and bad.severity = 'error' and exists (
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
      where bad.zone = stored and bad.owner is null and bad.severity = 'error'
      order by bad.since desc limit 1;
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
