/**
 * The statements that write back which rows are bad.
 *
 * Ten thousand problems take several megabytes of SQL: beyond a few hundred they go in
 * parts, one round trip each, so that neither the event loop nor the memory is taken up
 * by all of them at once.
 */
import { jsonb, literal, texts } from "./postgres_literals.ts";
import type { ProblemReport, ProblemsReport } from "./write_back.ts";

/** Problems in one statement: some 100 KB of SQL, a millisecond or two to write. */
export const PROBLEMS_PER_PART = 256;

/** Runs a statement within the transaction, and gives its rows. */
type Run = (statement: string) => Promise<readonly Record<string, unknown>[]>;

/**
 * Writes problems, but for the last statement: that one, if any, is returned, to go with
 * what else the transaction writes. Of few it is the only one.
 *
 * @param report  read as it is written
 */
export async function writeProblems(
  instance: string,
  { isWhole, put, gone }: ProblemsReport,
  run: Run,
): Promise<string | undefined> {
  const [puts, ends] = [inParts(put), inParts(gone)];
  let [now, ended] = [puts.next().value ?? [], ends.next().value ?? []];
  if (now.length + ended.length <= PROBLEMS_PER_PART) {
    return writeFew(instance, { isWhole, put: now, gone: ended });
  }
  for (; ended.length > 0; ended = ends.next().value ?? []) {
    await run(`delete from zonecast.problems
      where id in (select id from (${problemRows(ended)}) as ended)`);
  }
  const ids: string[] = [];
  for (; now.length > 0; now = puts.next().value ?? []) {
    const rows = await run(`
      with now_open as (${problemRows(now)}), written as (${UPSERT})
      select id from now_open`);
    for (const { id } of rows) if (isWhole) ids.push(id as string);
  }
  if (!isWhole) return undefined;
  return `delete from zonecast.problems as old
    where id not in (select unnest(${texts(ids)})) and ${isOurs(instance)}`;
}

/** One more than {@link PROBLEMS_PER_PART} at a time, so that the first tells whether there are more. */
function* inParts(problems: Iterable<ProblemReport>): Generator<ProblemReport[], undefined> {
  let part: ProblemReport[] = [];
  for (const problem of problems) {
    part.push(problem);
    if (part.length <= PROBLEMS_PER_PART) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
  return undefined;
}

/** Few problems, in one statement. */
function writeFew(
  instance: string,
  { isWhole, put, gone }: { isWhole: boolean; put: ProblemReport[]; gone: ProblemReport[] },
): string {
  const solved = isWhole
    ? isOurs(instance)
    : `id in (select id from (${problemRows(gone)}) as ended)`;
  return `
    with now_open as (${problemRows(put)}), solved as (
      delete from zonecast.problems as old
      where id not in (select id from now_open) and ${solved}
    ) ${UPSERT}`;
}

/**
 * Of those that are not named only our own are solved: zones that another zonecast
 * publishes are for it to tell of.
 */
function isOurs(instance: string): string {
  return `${literal(instance)} = coalesce((
    select newest.instance from zonecast.published as newest where newest.zone = old.zone
    order by newest.published_at desc limit 1), ${literal(instance)})`;
}

const UPSERT = `
  insert into zonecast.problems as known
    (id, zone, owner, name, type, content, code, severity, reason, hint)
  select id, zone, owner, name, type, content, code, severity, reason, hint
  from now_open order by id
  on conflict (id) do update
    set severity = excluded.severity, reason = excluded.reason, hint = excluded.hint
    where (known.severity, known.reason, known.hint)
      is distinct from (excluded.severity, excluded.reason, excluded.hint)`;

/** Problem rows of a report, each with its id. */
function problemRows(problems: readonly ProblemReport[]): string {
  return `select distinct on (id) * from (
      select md5(concat_ws(chr(1), zone, owner, name, type, content, code)) as id, one.*
      from jsonb_to_recordset(${jsonb(problems)}) as one (zone text, owner text, name text,
        type text, content text, code text, severity text, reason text, hint text)) as each`;
}
