/**
 * What a secondary shows: its serials, and whether it answers what is published.
 *
 * Effects: some questions.
 */
import { compareSerials, formatName, parseName, TYPE, ZonecastError } from "../dns/mod.ts";
import { type Finding, formatSocketAddress, type SocketAddress } from "../ops/mod.ts";
import { AskError } from "../server/mod.ts";
import { isAuthoritative, RCODE, rcodeName } from "../wire/mod.ts";
import { soaSerial } from "../zone/mod.ts";
import {
  askedAt,
  finding,
  type PublishedZone,
  type SecondaryExamination,
} from "./doctor_examination.ts";
import { count } from "./table.ts";
import { verifyServer } from "./verify_server.ts";

/** Zones whose content is compared: the first so many; their serials are, in all. */
const COMPARED_ZONES = 10;
/** After a publication a secondary may be behind for this long, ms: NSD and Knot take a second or two. */
const PATIENCE_MS = 3_000;
const LOOK_MS = 500;
/** Zones asked about at once. */
const AT_ONCE = 50;

/** How a zone stands at one of its addresses. */
interface Shown {
  readonly zone: PublishedZone;
  readonly at: string;
  /** What is wrong; undefined when it shows our serial. */
  readonly fault:
    | { readonly text: string; readonly fix: string; readonly isBehind: boolean }
    | undefined;
}

/** Asks for all serials until they are ours or patience ends. Returns the zones that are equal. */
export async function* aboutSerials(
  ex: SecondaryExamination,
): AsyncGenerator<Finding, readonly PublishedZone[]> {
  const { zones, secondary } = ex;
  if (zones.length === 0) return [];
  const publishedAt = zones.reduce((last, { publishedAt = 0 }) => Math.max(last, publishedAt), 0);
  const until = performance.now() + Math.min(PATIENCE_MS, publishedAt + PATIENCE_MS - Date.now());
  let open = secondary.watch.flatMap((address) => zones.map((zone) => ({ zone, address })));
  const faults: Shown[] = [];
  for (;;) {
    faults.splice(0, faults.length, ...faults.filter(({ fault }) => !fault!.isBehind));
    const again: typeof open = [];
    for (let at = 0; at < open.length; at += AT_ONCE) {
      ex.progress.show(`${secondary.name}: serials`, at, open.length);
      const some = open.slice(at, at + AT_ONCE);
      const shown = await Promise.all(some.map((each) => shownSerial(ex, each)));
      for (const [index, one] of shown.entries()) {
        if (!one.fault) continue;
        faults.push(one);
        if (one.fault.isBehind) again.push(some[index]);
      }
    }
    open = again;
    if (open.length === 0 || performance.now() >= until) break;
    await new Promise((resume) => setTimeout(resume, LOOK_MS));
  }
  const bad = new Set(faults.map(({ zone }) => zone));
  for (const { at, fault } of faults.slice(0, 5)) {
    yield finding(ex, "serial", "bad", `${at}: ${fault!.text}`, fault!.fix);
  }
  if (faults.length > 5) {
    const text = `${faults.length - 5} more zones are not at our serial`;
    yield finding(ex, "serial", "bad", text, faults[5].fault!.fix);
  }
  const equal = zones.filter((zone) => !bad.has(zone));
  if (faults.length === 0) {
    const what = zones.length === 1
      ? `${zones[0].name} at our serial ${zones[0].serial}`
      : `all ${count(zones.length, "zone")} at our serials`;
    yield finding(ex, "serial", "good", `it has ${what}`);
  }
  return equal;
}

async function shownSerial(
  ex: SecondaryExamination,
  { zone, address }: { zone: PublishedZone; address: SocketAddress },
): Promise<Shown> {
  const at = formatSocketAddress(address);
  const fault = (text: string, fix: string, isBehind = false): Shown => ({
    zone,
    at,
    fault: { text, fix, isBehind },
  });
  const noTransfer = "see its log and `zonecast status`: has it been notified, may it transfer " +
    "(check transfer), can it reach this server over TCP?";
  try {
    const { response } = await ex.asker.ask(askedAt(ex, address), {
      name: parseName(zone.name),
      type: TYPE.SOA,
    });
    const soa = response.answer.find(({ type }) => type === TYPE.SOA);
    if (response.rcode !== RCODE.NOERROR || !soa || !isAuthoritative(response)) {
      return fault(
        `it does not serve ${zone.name} (${rcodeName(response.rcode)})`,
        `configure the zone there with this server as its primary; if it has it, ${noTransfer}`,
      );
    }
    const serial = soaSerial(soa);
    const order = compareSerials(serial, zone.serial);
    if (order === 0) return { zone, at, fault: undefined };
    const text = `${zone.name} has serial ${serial}, ours is ${zone.serial}`;
    if (order === 1) {
      return fault(
        text,
        `it takes nothing older: zonecast serial ${zone.name} --above ${serial}`,
      );
    }
    return fault(text, noTransfer, true);
  } catch (error) {
    if (!(error instanceof AskError)) throw error;
    return fault(`${zone.name}: ${error.message}`, error.hint ?? noTransfer);
  }
}

/** Whether its answers are what is published, in the zones whose serials are equal. */
export async function* aboutContent(
  ex: SecondaryExamination,
  zones: readonly PublishedZone[],
): AsyncGenerator<Finding> {
  const { asker, secondary, sample, rate, progress } = ex;
  let compared = 0;
  for (const zone of zones.slice(0, COMPARED_ZONES)) {
    for (const address of secondary.watch) {
      const options = {
        rules: { ignore: [], ignoreTtl: false },
        rate,
        questionsOnly: true,
        progress,
        names: sample,
      };
      try {
        const server = askedAt(ex, address);
        const version = await zone.version();
        const verdict = await verifyServer(asker, server, secondary.name, version, options);
        compared += verdict.compared;
        if (verdict.differences.length === 0) continue;
        const at = formatSocketAddress(address);
        const rrsets = count(verdict.differences.length, "RRset");
        const differ = verdict.differences.length === 1 ? "differs" : "differ";
        const names = verdict.differences.map(({ owner }) => formatName(owner)).slice(0, 3);
        yield finding(
          ex,
          "content",
          "bad",
          `${at}: ${rrsets} of ${zone.name} ${differ} from what is published: ${names.join(", ")}`,
          `zonecast verify ${zone.name} --against ${at} shows them; have it transfer anew ` +
            "(nsd-control force_transfer, knotc zone-retransfer, rndc retransfer)",
        );
        return;
      } catch (error) {
        if (!(error instanceof ZonecastError)) throw error;
        yield finding(ex, "content", "unknown", `it could not be compared: ${error.message}`);
        return;
      }
    }
  }
  if (compared > 0) {
    const text = `${count(compared, "RRset")} asked for are as published`;
    yield finding(ex, "content", "good", text);
  }
}
