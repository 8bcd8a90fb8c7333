/** Text ⇄ wire for random RDATA of every type, random names and random text. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  canonicalKey,
  canonicalRdata,
  checkRdata,
  decompressRdata,
  formatName,
  formatRdata,
  formatRelative,
  isSubdomain,
  lowerName,
  type Name,
  NameError,
  parseName,
  parseRdata,
  RdataError,
  rdataNames,
  ROOT,
  typeName,
  typesWithLayout,
} from "../../lib/dns/mod.ts";
import { names, RDATA, typedRdata } from "../support/arbitraries.ts";
import { toHex } from "../support/octets.ts";

Deno.test("every type with a text form has random RDATA", () => {
  assertEquals(typesWithLayout().filter((type) => !RDATA.has(type)).map(typeName), []);
});

Deno.test("wire → text → wire is the same octets, text → wire → text the same text", async (t) => {
  for (const [type, arbitrary] of RDATA) {
    await t.step(typeName(type), () =>
      fc.assert(
        fc.property(arbitrary, (rdata) => {
          checkRdata(type, rdata);
          const text = formatRdata(type, rdata);
          // The type's own form: the unknown one would be a silent way out.
          if (rdata.length > 0) assert(!text.startsWith("\\#"), text);
          const again = parseRdata(type, text, ROOT);
          assertEquals(toHex(again), toHex(rdata));
          assertEquals(formatRdata(type, again), text);
        }),
        { numRuns: 60 },
      ));
  }
});

Deno.test("printed relative to an origin and read with it, names are equal without case", () => {
  fc.assert(fc.property(typedRdata, names(100), ({ type, rdata }, origin) => {
    const again = parseRdata(type, formatRdata(type, rdata, origin), origin);
    assertEquals(toHex(lowered(type, again)), toHex(lowered(type, rdata)));
  }));
});

/** All names within RDATA in lower case. */
function lowered(type: number, rdata: Uint8Array): Uint8Array {
  const out = rdata.slice();
  for (const { at, length } of rdataNames(type, rdata)) {
    out.set(lowerName(rdata.subarray(at, at + length)), at);
  }
  return out;
}

Deno.test("names within RDATA are whole names, in order, apart", () => {
  fc.assert(fc.property(typedRdata, ({ type, rdata }) => {
    let end = 0;
    for (const { at, length } of rdataNames(type, rdata)) {
      assert(at >= end);
      end = at + length;
      assertEquals(parseName(formatName(rdata.subarray(at, end))), rdata.slice(at, end));
    }
    assert(end <= rdata.length);
  }));
});

Deno.test("the canonical form changes nothing but case, and not twice", () => {
  fc.assert(fc.property(typedRdata, ({ type, rdata }) => {
    const canonical = canonicalRdata(type, rdata);
    assertEquals(toHex(lowered(type, canonical)), toHex(lowered(type, rdata)));
    assert(canonicalRdata(type, canonical) === canonical);
  }));
});

/** Runs `read`, which may only end well or in an error of ours. */
function onlyTypedErrors(read: () => void): void {
  try {
    read();
  } catch (error) {
    assert(error instanceof RdataError || error instanceof NameError, String(error));
  }
}

/** Text made of what presentation format is made of. */
const oddText = fc.array(
  fc.oneof(
    fc.string({ unit: "binary", maxLength: 8 }),
    fc.constantFrom(...' \t\n\r"\\();@#.,=:-/0123456789'.split("")),
    fc.constantFrom(
      "\\#",
      " 4 ",
      "alpn=",
      'key1="',
      "mandatory=",
      "TYPE1",
      "1h",
      "::",
      " N ",
      "m",
      "==",
    ),
  ),
  { maxLength: 30 },
).map((parts) => parts.join(""));

Deno.test("random text is read or refused with a typed error; what is read prints and reads back", () => {
  const types = fc.constantFrom(...typesWithLayout(), 65_280);
  fc.assert(
    fc.property(types, oddText, (type, text) =>
      onlyTypedErrors(() => {
        const rdata = parseRdata(type, text, ROOT);
        checkRdata(type, rdata);
        assertEquals(toHex(parseRdata(type, formatRdata(type, rdata), ROOT)), toHex(rdata));
      })),
    { numRuns: 4000 },
  );
});

Deno.test("printed text with one character changed is read or refused with a typed error", () => {
  fc.assert(
    fc.property(
      typedRdata,
      fc.nat(),
      fc.string({ maxLength: 2 }),
      ({ type, rdata }, at, insert) => {
        const text = formatRdata(type, rdata);
        const cut = at % text.length;
        const changed = text.slice(0, cut) + insert + text.slice(cut + 1);
        onlyTypedErrors(() => checkRdata(type, parseRdata(type, changed, ROOT)));
      },
    ),
    { numRuns: 2000 },
  );
});

Deno.test("random and damaged octets are right or refused with a typed error, and always print", () => {
  const damaged = fc.tuple(typedRdata, fc.nat(), fc.nat({ max: 255 })).map(
    ([{ type, rdata }, at, octet]) => {
      const out = rdata.slice();
      if (out.length > 0) out[at % out.length] = octet;
      return { type, rdata: out };
    },
  );
  const random = fc.record({
    type: fc.constantFrom(...typesWithLayout()),
    rdata: fc.uint8Array({ maxLength: 100 }),
  });
  fc.assert(
    fc.property(fc.oneof(damaged, random), ({ type, rdata }) => {
      const text = formatRdata(type, rdata);
      onlyTypedErrors(() => {
        checkRdata(type, rdata);
        assertEquals(toHex(parseRdata(type, text, ROOT)), toHex(rdata));
        rdataNames(type, rdata);
        canonicalRdata(type, rdata);
      });
      onlyTypedErrors(() => decompressRdata(type, rdata, 0, rdata.length));
    }),
    { numRuns: 3000 },
  );
});

Deno.test("random messages never make expanding run away or fail untyped", () => {
  // Many pointers low in the message: chains, loops, overlaps.
  const octet = fc.oneof(
    fc.constantFrom(0xc0, 0, 1, 63),
    fc.nat({ max: 40 }),
    fc.nat({ max: 255 }),
  );
  const message = fc.array(octet, { minLength: 40, maxLength: 80 })
    .map((octets) => Uint8Array.from(octets));
  fc.assert(
    fc.property(
      message,
      fc.constantFrom(...typesWithLayout()),
      fc.nat({ max: 39 }),
      fc.nat({ max: 45 }),
      (message, type, at, length) => {
        onlyTypedErrors(() => checkRdata(type, decompressRdata(type, message, at, length)));
      },
    ),
    { numRuns: 3000 },
  );
});

Deno.test("names: wire → text → wire, absolute and relative", () => {
  fc.assert(fc.property(names(), names(120), (name, origin) => {
    assertEquals(parseName(formatName(name)), name);
    assertEquals(parseName(formatName(name), origin), name);
    const below = Uint8Array.of(...name.subarray(0, -1), ...origin);
    if (below.length > 255) return;
    assertEquals(parseName(formatRelative(below, origin), origin), below);
  }));
});

/** The order of RFC 4034 §6.1, as it is written there. */
function referenceOrder(a: Name, b: Name): number {
  const labels = (name: Name): Uint8Array[] => {
    const list: Uint8Array[] = [];
    for (let at = 0; name[at] !== 0; at += 1 + name[at]) {
      list.unshift(lowerName(name).slice(at + 1, at + 1 + name[at]));
    }
    return list;
  };
  const [la, lb] = [labels(a), labels(b)];
  for (let i = 0; i < Math.min(la.length, lb.length); i++) {
    for (let j = 0; j < Math.min(la[i].length, lb[i].length); j++) {
      if (la[i][j] !== lb[i][j]) return la[i][j] - lb[i][j];
    }
    if (la[i].length !== lb[i].length) return la[i].length - lb[i].length;
  }
  return la.length - lb.length;
}

Deno.test("canonicalKey orders names as RFC 4034 §6.1, and is a prefix below a name", () => {
  /** Names that share labels and differ little, or order would be settled by the first octet. */
  const octet = fc.constantFrom(0, 1, 2, 0x41, 0x61, 0x5b, 0xff);
  const close = fc.array(fc.array(octet, { minLength: 1, maxLength: 3 }), { maxLength: 3 })
    .map((labels) => Uint8Array.from([...labels.flatMap((l) => [l.length, ...l]), 0]));
  const either = fc.oneof(close, names());
  fc.assert(
    fc.property(either, either, (a, b) => {
      const [ka, kb] = [canonicalKey(a), canonicalKey(b)];
      const order = ka < kb ? -1 : ka > kb ? 1 : 0;
      assertEquals(order, Math.sign(referenceOrder(a, b)));
      assertEquals(ka.startsWith(kb), isSubdomain(a, b));
    }),
    { numRuns: 3000 },
  );
});
