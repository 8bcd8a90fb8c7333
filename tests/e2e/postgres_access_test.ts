/** Postgres reached as operators reach it: over TLS, by password file, by unix socket; with few rights. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { applySchema, grantServingRole, openEditor, SourceError } from "../../lib/source/mod.ts";
import { interopTest } from "../support/interop.ts";
import { startPostgres } from "../support/postgres.ts";
import { postgresUser } from "../support/postgres_files.ts";
import { mustRun } from "../support/processes.ts";
import { noteSecret } from "../support/secrets.ts";
import { startFakeSecondary } from "../support/secondary_fake.ts";
import { untilServed } from "../support/served.ts";
import { mustZonecast, serveZones, sourceDatabase } from "../support/setup.ts";
import { tempDir } from "../support/tempdir.ts";
import { until } from "../support/wait.ts";

const ZONE = "example.org.";

/** Gives a file to the user Postgres runs as. */
async function toPostgres(...paths: string[]): Promise<void> {
  const { uid, gid } = postgresUser();
  if (uid === undefined || gid === undefined) return;
  for (const path of paths) await Deno.chown(path, uid, gid);
}

/** Connects and greets. @throws {SourceError} */
async function reach(url: string): Promise<void> {
  const editor = await openEditor(url);
  await editor.close();
}

function refused(url: string, message: RegExp, code = "source-refused"): Promise<void> {
  return assertRejects(() => reach(url), SourceError).then((error) => {
    assertMatch(error.message, message);
    assertEquals(error.code, code);
    assertEquals(/geheim/.test(Deno.inspect(error)), false);
  });
}

/** Runs something with other variables in the environment. */
async function withEnv(env: Record<string, string>, work: () => Promise<void>): Promise<void> {
  const before = Object.keys(env).map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of Object.entries(env)) Deno.env.set(name, value);
  try {
    await work();
  } finally {
    for (const [name, value] of before) {
      value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
    }
  }
}

/** A certificate authority, and the certificates it gives to Postgres. */
class Authority {
  constructor(readonly dir: string, readonly name: string) {}

  get file(): string {
    return `${this.dir}/${this.name}.pem`;
  }

  async make(): Promise<this> {
    const { dir, name } = this;
    await mustRun("openssl", [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
      ...["-keyout", `${dir}/${name}.key`, "-out", this.file, "-days", "2", "-subj", `/CN=${name}`],
    ]);
    return this;
  }

  /** Puts a certificate for these names in Postgres' place. */
  async certify(names: string, days: string): Promise<void> {
    const { dir, name } = this;
    await Deno.writeTextFile(`${dir}/names`, `subjectAltName=${names}\n`);
    await mustRun("openssl", [
      ...["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
      ...["-keyout", `${dir}/server.key`, "-out", `${dir}/server.csr`, "-subj", "/CN=postgres"],
    ]);
    await mustRun("openssl", [
      ...["x509", "-req", "-in", `${dir}/server.csr`, "-out", `${dir}/server.pem`, "-days", days],
      ...["-CA", this.file, "-CAkey", `${dir}/${name}.key`, "-CAcreateserial"],
      ...["-extfile", `${dir}/names`],
    ]);
    await Deno.chmod(`${dir}/server.key`, 0o600);
    await toPostgres(`${dir}/server.key`, `${dir}/server.pem`);
  }
}

interopTest(
  "Postgres: TLS verified or not, password files, unix socket and peer authentication",
  // postgres.js forgets the timer of a connection whose TLS fails.
  { needs: ["openssl"], leavesTimers: true },
  async (t) => {
    await using dir = await tempDir("zonecast-pg-tls-");
    await Deno.chmod(dir.path, 0o755);
    const authority = await new Authority(dir.path, "ours").make();
    const stranger = await new Authority(dir.path, "strange").make();
    await authority.certify("DNS:localhost,IP:127.0.0.1", "2");
    const user = (await mustRun("id", ["-un"])).trim();
    await dir.write(
      "hba",
      `local all secured scram-sha-256
      local all serving peer map=us
      local all all trust
      hostssl all secured 127.0.0.1/32 scram-sha-256
      hostnossl all secured 127.0.0.1/32 reject
      host all all 127.0.0.1/32 trust\n`,
    );
    await dir.write("ident", `us ${user} serving\n`);
    await Deno.mkdir(`${dir.path}/run`);
    await toPostgres(`${dir.path}/run`);
    await using postgres = await startPostgres({
      settings: {
        ssl: "on",
        ssl_cert_file: `${dir.path}/server.pem`,
        ssl_key_file: `${dir.path}/server.key`,
        hba_file: `${dir.path}/hba`,
        ident_file: `${dir.path}/ident`,
        unix_socket_directories: `${dir.path}/run`,
      },
    });
    await applySchema(postgres.url);
    noteSecret("geheim");
    await postgres.sql.unsafe(`create role secured login superuser password 'geheim';
      create role serving login superuser; create role other login`).simple();
    const { port } = postgres;
    const ca = `sslrootcert=${authority.file}`;
    const at = (host: string, parameters: string, login = "secured:geheim") =>
      `postgres://${login}@${host}:${port}/postgres?${parameters}`;
    const recertify = async (names: string, days: string) => {
      await authority.certify(names, days);
      await postgres.sql`select pg_reload_conf()`;
    };

    await t.step("verify-full: by name and by address, with a CA file", async () => {
      await reach(at("localhost", `sslmode=verify-full&${ca}`));
      await reach(at("127.0.0.1", `sslmode=verify-full&${ca}`));
      await reach(at("localhost", ca)); // a CA that is named is used
      await reach(at("127.0.0.1:1,127.0.0.1", `sslmode=verify-full&${ca}`));
    });
    await t.step("require and prefer: TLS, not verified", async () => {
      await reach(at("localhost", "sslmode=require"));
      await reach(at("localhost", "sslmode=prefer"));
    });
    await t.step("without TLS the server refuses", async () => {
      await refused(at("localhost", "sslmode=disable"), /pg_hba\.conf rejects/);
      await refused(at("localhost", ""), /pg_hba\.conf rejects/);
    });
    await t.step("another CA is refused, and the system's do not know ours", async () => {
      const wrong = `sslrootcert=${stranger.file}`;
      await refused(
        at("localhost", `sslmode=verify-full&${wrong}`),
        /Cannot trust .*UnknownIssuer/,
      );
      await refused(at("localhost", "sslmode=verify-full"), /Cannot trust .*UnknownIssuer/);
      await refused(at("127.0.0.1", "sslmode=verify-ca"), /Cannot trust /);
    });
    await t.step(
      "a mode that is none is refused",
      () => refused(at("localhost", "sslmode=verify_full"), /sslmode is none of/, "source-url"),
    );

    await t.step("password files: of the URL, of the environment, a credential", async () => {
      const tls = `sslmode=verify-full&${ca}`;
      const file = await dir.write("pgpass", `# ours\n*:*:postgres:secured:geheim\n`);
      await Deno.chmod(file, 0o600);
      await reach(at("localhost", `${tls}&passfile=${file}`, "secured"));
      await withEnv({ PGPASSFILE: file }, () => reach(at("localhost", tls, "secured")));
      await Deno.mkdir(`${dir.path}/credentials`);
      await Deno.writeTextFile(`${dir.path}/credentials/postgres-password`, "geheim\n", {
        mode: 0o400,
      });
      await withEnv(
        { CREDENTIALS_DIRECTORY: `${dir.path}/credentials` },
        () => reach(at("localhost", tls, "secured")),
      );
      await Deno.writeTextFile(file, "localhost:1:*:*:geheim\n");
      await refused(at("localhost", `${tls}&passfile=${file}`, "secured"), /./);
      await Deno.chmod(file, 0o604);
      await refused(
        at("localhost", `${tls}&passfile=${file}`, "secured"),
        /may be read or changed by everybody/,
        "source-password",
      );
    });

    await t.step("a unix socket, with a password and by peer authentication", async () => {
      const socket = (login: string, more = "") =>
        `postgres://${login}@/postgres?host=${dir.path}/run&port=${port}${more}`;
      await reach(socket("secured:geheim"));
      await reach(socket("serving"));
      await refused(socket("secured:falsch"), /password authentication failed/);
      await Deno.writeTextFile(`${dir.path}/ident`, "us nobody-of-ours serving\n");
      await postgres.sql`select pg_reload_conf()`;
      await until(
        () => reach(socket("serving")).then(() => false, (error) => /[Pp]eer/.test(error.message)),
        { what: "another peer is refused" },
      );
    });

    await t.step("a certificate for another host is refused", async () => {
      await recertify("DNS:elsewhere.example,IP:127.0.0.9", "2");
      const tls = `sslmode=verify-full&${ca}`;
      await untilRefused(at("localhost", tls), /Cannot trust .*not valid for name/);
      await refused(at("127.0.0.1", tls), /Cannot trust .*not valid for name/);
      await reach(at("localhost", "sslmode=require"));
    });
    await t.step("an expired certificate is refused", async () => {
      await recertify("DNS:localhost,IP:127.0.0.1", "-1");
      await untilRefused(at("localhost", `sslmode=verify-full&${ca}`), /Cannot trust .*[Ee]xpired/);
      await reach(at("localhost", "sslmode=require"));
    });
  },
);

/** Until Postgres, which reads its certificate anew some time after the call, shows it. */
async function untilRefused(url: string, message: RegExp): Promise<void> {
  let seen = "";
  await until(
    () => reach(url).then(() => false, (error) => message.test(seen = error.message)),
    { what: `refused with ${message}`, seen: () => seen },
  );
}

// The timer that the test above leaves may end in this one.
const afterTimers = { leavesTimers: true };
interopTest(
  "schema apply --role: serves with write-back, and can do nothing else",
  afterTimers,
  async (t) => {
    await using postgres = await startPostgres();
    const { url, sql } = await sourceDatabase(postgres, [ZONE]);
    await sql.unsafe("create schema private; create table private.secrets (secret text)").simple();
    const role = 'zone "cast"';
    const made = await mustZonecast(url, ["schema", "apply", "--role", role]);
    assertMatch(made, /made the role zone "cast"/);
    assertMatch(
      await mustZonecast(url, ["schema", "apply", "--role", role]),
      /up to date\ngranted the role/,
    );
    const as = url.replace("postgres@", `${encodeURIComponent(role)}@`);

    await t.step("it serves, and writes back and prunes", async () => {
      await using secondary = startFakeSecondary();
      await using zonecast = await serveZones({
        source: as,
        zones: [ZONE],
        secondaries: [secondary],
        args: ["--feed-retention", "1s", "--poll-interval", "200ms"],
      });
      await sql`insert into zonecast.records (zone, name, type, content)
      values ('example.org', 'www', 'A', '192.0.2.1'), ('example.org', 'bad', 'A', '1.2.3')`;
      await untilServed(zonecast, `www.${ZONE}`, "A", ["192.0.2.1"]);
      const count = async (table: string) =>
        (await sql<{ n: number }[]>`select count(*)::integer as n from zonecast.${sql(table)}`)[0]
          .n;
      for (const table of ["published", "secondaries", "problems", "readers"]) {
        await until(async () => await count(table) > 0, { what: `${table} is written` });
      }
      assertEquals(/source-permission|permission denied/.exec(zonecast.log()), null);
    });

    await t.step("it can do nothing else", async () => {
      const theirs = postgres.connect(as);
      const statements = [
        "insert into zonecast.records (zone, name, type, content) values ('example.org', 'x', 'A', '192.0.2.9')",
        "update zonecast.records set ttl = 1",
        "delete from zonecast.records",
        "truncate zonecast.records",
        "update zonecast.zones set refresh = 1",
        "delete from zonecast.zones",
        "insert into zonecast.changes (zone, owner) values ('example.org', null)",
        "insert into zonecast.feed_floor select * from zonecast.feed_floor",
        "select * from zonecast.migrations",
        "truncate zonecast.published",
        "create table zonecast.mine (x int)",
        "create table public.mine (x int)",
        "create schema mine",
        "create role mine",
        "create database mine",
        "drop table zonecast.published",
        "alter table zonecast.published add column x int",
        "alter table zonecast.records disable trigger all",
        "select * from private.secrets",
        "set session_replication_role = replica",
        "select pg_read_file('/etc/passwd')",
        "select pg_reload_conf()",
      ];
      for (const statement of statements) {
        const error = await assertRejects(() => theirs.unsafe(statement), statement);
        assertMatch(String(error), /permission denied|must be owner|denied to/, statement);
      }
    });

    await t.step("what every role may do beside is named", async () => {
      const { excess } = await grantServingRole(url, role);
      assertEquals(excess.map((one) => one.replace(/ on .*/, "")), ["revoke temporary"]);
      await sql.unsafe(excess[0]);
      assertEquals((await grantServingRole(url, role)).excess, []);
      await assertRejects(
        () => postgres.connect(as).unsafe("create temporary table mine (x int)"),
        "temporary",
      );
    });

    await t.step("a superuser is no such role, and whoever may not make one is told", async () => {
      const powerful = await assertRejects(() => grantServingRole(url, "postgres"), SourceError);
      assertEquals(powerful.code, "source-role");
      const forbidden = await assertRejects(() => grantServingRole(as, "third"), SourceError);
      assertEquals(forbidden.code, "source-permission");
      assertMatch(forbidden.hint ?? "", /CREATEROLE/);
    });
  },
);
