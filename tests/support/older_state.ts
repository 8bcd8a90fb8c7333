/** State files as an older zonecast would have left them. */
import { DatabaseSync } from "node:sqlite";
import { MIGRATIONS, SCHEMA_VERSION } from "../../lib/store/state_schema.ts";

/** What a schema consists of: its tables and indices. */
function objectsOf(version: number): Map<string, string> {
  const db = new DatabaseSync(":memory:");
  for (const migration of MIGRATIONS.slice(0, version)) db.exec(migration);
  const rows = db.prepare("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL").all();
  db.close();
  return new Map(rows.map(({ type, name, sql }) => [`${type} ${name}`, String(sql)]));
}

/**
 * Takes from a closed state file all that later schemas have added.
 *
 * @throws {Error} a later schema changed a table: then this is to be taught how it was
 */
export function makeOlder(path: string, version: number): void {
  const [before, now] = [objectsOf(version), objectsOf(SCHEMA_VERSION)];
  for (const [object, sql] of before) {
    if (now.get(object) !== sql) throw new Error(`${object} was another in schema ${version}`);
  }
  const db = new DatabaseSync(path);
  // Indices first: they go with their table.
  for (const object of [...now.keys()].filter((each) => !before.has(each)).sort()) {
    db.exec(`DROP ${object}`);
  }
  if (version < 2) db.exec("DELETE FROM meta WHERE name = 'pending'");
  if (version < 4) db.exec("DELETE FROM meta WHERE name = 'problems'");
  db.exec(`PRAGMA user_version = ${version}`);
  db.close();
}

/** Makes a closed state file one of a zonecast that is yet to come. */
export function makeNewer(path: string): void {
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
  db.close();
}

/** Makes it the current one's again. */
export function makeCurrent(path: string): void {
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  db.close();
}
