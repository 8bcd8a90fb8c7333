/** What should have arrived: the zone as it was generated and the records added since. */
import { assertEquals } from "@std/assert";
import type { Server } from "../../support/dns_client.ts";
import type { ContentResult, TransferResult } from "../client.ts";
import type { Bench } from "../scenario.ts";
import { ZONE } from "../zones.ts";
import { addedRecord } from "./primaries.ts";

/** Fails unless each server's whole zone is the generated one with the first `added` records. */
export async function assertWhole(
  bench: Bench,
  servers: readonly (Server & { readonly name: string })[],
  size: number,
  added: number,
): Promise<void> {
  const { file } = await bench.zone(size);
  const expected = `${await bench.tempDir()}/expected.zone`;
  await Deno.copyFile(file, expected);
  const lines = Array.from({ length: added }, (_, index) => {
    const { owner, ip } = addedRecord(index);
    return `${owner} IN A ${ip}\n`;
  });
  await Deno.writeTextFile(expected, lines.join(""), { append: true });
  const { content, contentRecords } = await bench.client.run<ContentResult>("content", {
    file: expected,
  });
  for (const { name, addr, port } of servers) {
    const found = await bench.client.run<TransferResult>("axfr", {
      addr,
      port,
      zone: ZONE,
      content: 1,
    });
    assertEquals(
      { content: found.content, contentRecords: found.contentRecords },
      { content, contentRecords },
      `What ${name} has is not what was sent`,
    );
  }
  await Deno.remove(expected);
}
