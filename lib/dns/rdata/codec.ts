/** What every kind of RDATA field can do. */
import type { Name } from "../name.ts";
import type { RdataInput } from "./input.ts";
import type { OctetWriter, RdataReader } from "./octets.ts";

/** One kind of field, in both directions. Pure but for its arguments' positions. */
export interface FieldCodec {
  /**
   * Takes the field's tokens and writes its octets.
   *
   * @throws {RdataError} the tokens are not what the field takes
   */
  parse(input: RdataInput, out: OctetWriter): void;
  /**
   * Takes the field's octets, writing nothing.
   *
   * @throws {RdataError} the octets are malformed
   */
  check(wire: RdataReader): void;
  /**
   * Takes the field's octets and gives its presentation format. Called on
   * checked RDATA only, but never reads behind its end.
   *
   * @param origin  what names are made relative to; without one, absolute
   */
  format(wire: RdataReader, origin: Name | undefined): string;
}
