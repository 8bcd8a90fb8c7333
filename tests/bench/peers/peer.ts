/** A server that zonecast is measured beside, as a primary of one zone from a master file. */
import { childrenOf, run, which } from "../../support/processes.ts";
import { type DnsServer, launch, type LaunchSpec } from "../../support/dns_server.ts";
import type { Server } from "../../support/dns_client.ts";
import type { BenchZone } from "../zones.ts";

export interface PrimaryOptions {
  readonly zone: BenchZone;
  /** Who is sent NOTIFY. */
  readonly secondaries?: readonly Server[];
  readonly port?: number;
}

/** Writes configuration and zone into `dir`. Returns the program's arguments. */
export interface Configure {
  (place: { dir: string; addr: string; port: number }, options: PrimaryOptions): Promise<string[]>;
}

export interface Peer {
  /** As it is printed: "NSD". */
  readonly name: string;
  readonly program: string;
  /** The Debian package that brings it. */
  readonly package: string;
  /** How it is set up, in a sentence for the report: whatever is not its default, and why. */
  readonly setup: string;
  readonly configure: Configure;
  /** Prints the version, on stdout or stderr. */
  readonly versionArgs: readonly string[];
  readonly env?: Record<string, string>;
  /** How long loading 1M records may take, in ms. */
  readonly loadMs: number;
}

/** The version a peer says it is. */
export async function versionOf(peer: Peer): Promise<string> {
  const { stdout, stderr } = await run(which(peer.program) ?? peer.program, [...peer.versionArgs]);
  return /\d+\.\d+(\.\d+)?/.exec(stdout + stderr)?.[0] ?? "unknown version";
}

export function isInstalled(peer: Peer): boolean {
  return which(peer.program) !== undefined;
}

/** What {@link startPeer} needs to launch it; scenarios that time the start use it themselves. */
export function launchSpec(peer: Peer, options: PrimaryOptions): LaunchSpec {
  return {
    name: peer.name,
    program: peer.program,
    port: options.port,
    env: peer.env,
    configure: (place) => peer.configure(place, options),
  };
}

/** Starts a peer as primary, and waits until it serves the zone. */
export async function startPeer(peer: Peer, options: PrimaryOptions): Promise<DnsServer> {
  const server = await launch({ ...launchSpec(peer, options), listeningMs: peer.loadMs });
  try {
    await server.reaches(options.zone.name, options.zone.serial, peer.loadMs);
    return server;
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

/** A process and all that descend from it: servers fork. */
export function processTree(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(processTree)];
}
