/** All commands, in the order help lists them. */
import { check } from "./check.ts";
import { checkFlags } from "./check_flags.ts";
import type { Command } from "./command.ts";
import { approve } from "./approve.ts";
import { completionsCommand, manCommand } from "./completions.ts";
import { cutover } from "./cutover.ts";
import { dashboards } from "./dashboards/dashboards.ts";
import { diff } from "./diff.ts";
import { doctor } from "./doctor.ts";
import { exportZone } from "./export.ts";
import { held } from "./held.ts";
import { importZone } from "./import.ts";
import { keygen } from "./keygen.ts";
import { log } from "./log.ts";
import { presets } from "./presets.ts";
import { problems } from "./problems.ts";
import { rollback } from "./rollback.ts";
import { schema, schemaApply } from "./schema.ts";
import { serial } from "./serial.ts";
import { serve } from "./serve.ts";
import { set, unset } from "./set.ts";
import { status } from "./status.ts";
import { tail } from "./tail.ts";
import { systemdUnit } from "./systemd_unit.ts";
import { verify } from "./verify.ts";
import { version } from "./version.ts";
import { zoneAdd, zoneRemove, zoneSet } from "./zone.ts";
import { zones } from "./zones.ts";

export const COMMANDS: readonly Command[] = [
  serve,
  checkFlags,
  status,
  problems,
  held,
  approve,
  doctor,
  check,
  tail,
  zoneAdd,
  zoneSet,
  zoneRemove,
  zones,
  set,
  unset,
  importZone,
  exportZone,
  log,
  diff,
  rollback,
  verify,
  cutover,
  serial,
  schema,
  schemaApply,
  presets,
  keygen,
  systemdUnit,
  dashboards,
  completionsCommand(() => COMMANDS),
  manCommand(() => COMMANDS),
  version,
];
