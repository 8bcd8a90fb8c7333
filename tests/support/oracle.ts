/** dns-packet as the independent reader of messages we write, and writer of messages we read. */
import { Buffer } from "node:buffer";
import dnsPacket from "dns-packet";

export type Decoded = dnsPacket.DecodedPacket;

export function decodeMessage(message: Uint8Array): Decoded {
  return dnsPacket.decode(Buffer.from(message));
}

/** A plain query; `over` replaces or adds parts, in the encoder's own terms. */
export function encodeQuery(over: Record<string, unknown> = {}): Uint8Array {
  return new Uint8Array(dnsPacket.encode({
    type: "query",
    id: 0x1234,
    flags: 0x0100,
    questions: [{ type: "SOA", name: "Example.ORG" }],
    ...over,
  }));
}
