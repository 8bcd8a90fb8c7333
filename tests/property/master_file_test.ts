/** What is printed as a master file reads back to the very same records. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseName, type ResourceRecord } from "../../lib/dns/mod.ts";
import { MasterFileError, printMasterFile, readMasterFile } from "../../lib/zone/mod.ts";
import { names, records } from "../support/arbitraries.ts";
import { toHex } from "../support/octets.ts";

const plain = (list: readonly ResourceRecord[]) =>
  list.map(({ owner, type, ttl, rdata }) => [toHex(owner), type, ttl, toHex(rdata)].join(" "));

Deno.test("reading what was printed gives the same records: octets, case, TTLs, order", () => {
  const zones = names(100).chain((apex) =>
    fc.record({
      apex: fc.constant(apex),
      list: fc.array(fc.oneof(records(apex), records()), { maxLength: 12 }),
      comments: fc.array(fc.string({ unit: "binary" }), { maxLength: 2 }),
    })
  );
  fc.assert(
    fc.property(zones, ({ apex, list, comments }) => {
      const lines = [...printMasterFile(apex, list, { comments })];
      assert(lines.every((line) => !/[\r\n]/.test(line)));
      const read = readMasterFile(lines.join("\n"), { file: "x", origin: parseName("other.") });
      assertEquals(plain(read.records), plain(list));
    }),
    { numRuns: 300 },
  );
});

Deno.test("random text is read or refused with MasterFileError", () => {
  const piece = fc.oneof(
    fc.string({ unit: "binary", maxLength: 6 }),
    fc.constantFrom(
      ...'\n|\n|\n| |\t|(|)|"|;|\\|@|$|.'.split("|"),
      ..."$TTL 1\n|$ORIGIN a\n|$INCLUDE x\n|a 1 A 192.0.2.1\n| IN | A | TXT | 1h |\\# 1 00".split(
        "|",
      ),
    ),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const options = { file: "x", origin: parseName("example."), open: () => pieces.join("") };
      try {
        readMasterFile(pieces.join(""), options);
      } catch (error) {
        assert(error instanceof MasterFileError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
