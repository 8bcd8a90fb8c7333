/** What a running server does for `zonecast serial`: raises a zone's serial. */
import { formatName, isAhead, type Serial } from "../dns/mod.ts";
import type { JsonValue } from "../ops/mod.ts";
import type { Primary } from "../primary.ts";
import type { DnsServer } from "../server/mod.ts";
import { raiseStep, wouldBeLeftBehind, type ZoneVersion } from "../zone/mod.ts";
import { CommandError } from "./errors.ts";

/** What is asked and told. */
export interface RaiseParts {
  readonly primary: Pick<Primary, "raiseAbove">;
  readonly server: Pick<DnsServer, "status">;
}

/** A secondary and the serial it shows. */
interface Shown {
  readonly secondary: string;
  readonly serial: Serial;
}

/**
 * Raises a published zone's serial above another.
 *
 * @param current  the version served now
 * @throws {CommandError} "serial-too-soon": a secondary has not taken the first of two steps
 */
export async function* raise(
  { primary, server }: RaiseParts,
  current: ZoneVersion,
  above: Serial,
): AsyncGenerator<JsonValue> {
  const zone = formatName(current.apex);
  const shown = shownSerials(server, zone);
  const step = raiseStep(current.serial, above);
  if (step.kind === "raise") {
    const behind = shown.filter(({ serial }) =>
      wouldBeLeftBehind(serial, current.serial, step.serial)
    );
    if (behind.length > 0) throw tooSoon(zone, behind, current.serial, step.serial);
  }
  const raised = await primary.raiseAbove(current.apex, above);
  // After the first of two steps the second is what brings it above them.
  const ahead = shown.filter(({ serial }) => raised.isAbove && !hasPassed(raised.serial, serial));
  yield { zone, ...raised, ahead: ahead.map((one) => ({ ...one })) };
}

/** Whether a secondary that shows a serial has the version of another, or takes it. */
function hasPassed(ours: Serial, shown: Serial): boolean {
  return ours === shown || isAhead(ours, shown);
}

/** What secondaries show of a zone; one with several servers the farthest ahead, if any is. */
function shownSerials(server: RaiseParts["server"], zone: string): Shown[] {
  return server.status().secondaries.flatMap(({ name, zones }) => {
    const watch = zones.find((entry) => entry.zone === zone)?.watch;
    const serial = watch?.ahead ?? watch?.serial;
    return serial === undefined ? [] : [{ secondary: name, serial }];
  });
}

function tooSoon(
  zone: string,
  behind: readonly Shown[],
  current: Serial,
  next: Serial,
): CommandError {
  const who = behind.map(({ secondary, serial }) => `${secondary} shows ${serial}`).join(", ");
  return new CommandError(
    "serial-too-soon",
    `Cannot raise the serial of ${zone} to ${next} yet: ${who}, and would take it for an older one`,
    `give the command again when it shows ${current} (\`zonecast status\`), or once it is no --secondary any more`,
  );
}
