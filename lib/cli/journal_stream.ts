/** Whether standard error leads to systemd's journal. Reads the descriptor's identity. */
import { fstatSync } from "node:fs";

/**
 * Whether $JOURNAL_STREAM, which systemd sets, names a descriptor: its device and inode.
 *
 * A service may send its standard error elsewhere, and a process that a service starts
 * inherits the variable: only the comparison tells (systemd.exec(5)).
 *
 * @param stream  the variable: "DEVICE:INODE", in decimal
 */
export function leadsToJournal(stream: string | undefined, descriptor = 2): boolean {
  const [, device, inode] = /^(\d+):(\d+)$/.exec(stream ?? "") ?? [];
  if (device === undefined) return false;
  const { dev, ino } = fstatSync(descriptor, { bigint: true });
  return String(dev) === device && String(ino) === inode;
}
