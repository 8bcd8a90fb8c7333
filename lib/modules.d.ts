/**
 * Types of the npm modules that ship none; `compilerOptions.types` brings them in everywhere.
 *
 * Only what zonecast and its tests use of `@std` is declared. `dns-packet` takes
 * its types from DefinitelyTyped.
 */

declare module "dns-packet" {
  export * from "dns-packet-types";
}

declare module "@std/cli/parse-args" {
  export interface ParseOptions<
    B extends string,
    S extends string,
    C extends string,
  > {
    /** Flags that take no value; absent means false. */
    readonly boolean?: readonly B[];
    /** Flags whose value is kept as text; without it a value that looks like a number becomes one. */
    readonly string?: readonly S[];
    /** Flags that may be repeated; absent means an empty array. */
    readonly collect?: readonly C[];
    readonly negatable?: readonly B[];
    readonly alias?: Readonly<Record<string, string | readonly string[]>>;
    readonly default?: Readonly<Record<string, unknown>>;
    /** Puts what follows `--` into the result's "--" instead of `_`. */
    readonly "--"?: boolean;
    /** Puts everything after the first positional argument into `_`. */
    readonly stopEarly?: boolean;
    /** Called for a flag not declared; false leaves it out of the result. */
    readonly unknown?: (arg: string, key?: string, value?: unknown) => unknown;
  }

  /** Positional arguments: numbers where they look like one, unless `string` lists "_". */
  type Positional<S extends string> = "_" extends S ? string[] : (string | number)[];

  export type Args<B extends string, S extends string, C extends string> =
    & { _: Positional<S>; "--"?: string[] }
    & { [K in Exclude<S, C | "_">]?: string }
    & { [K in S & C]: string[] }
    & { [K in B]: boolean }
    & { [flag: string]: unknown };

  /** The result when flag names are computed: each value must be narrowed. */
  export interface AnyArgs {
    _: (string | number)[];
    "--"?: string[];
    [flag: string]: unknown;
  }

  export function parseArgs<
    const B extends string = never,
    const S extends string = never,
    const C extends string = never,
  >(
    args: readonly string[],
    options?: ParseOptions<B, S, C>,
  ): string extends (B | S) ? AnyArgs : Args<B, S, C>;
}

declare module "@std/encoding/base64" {
  /** @throws {Error} the text is no base64 */
  export function decodeBase64(text: string): Uint8Array<ArrayBuffer>;
  export function encodeBase64(octets: Uint8Array): string;
}

declare module "@std/yaml/parse" {
  /** @throws {Error} the text is no well-formed YAML */
  export function parse(text: string): unknown;
}

declare module "@std/assert" {
  // deno-lint-ignore no-explicit-any -- any class at all may be named
  type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;

  export class AssertionError extends Error {}

  export function assert(expr: unknown, msg?: string): asserts expr;
  export function assertFalse(expr: unknown, msg?: string): void;
  export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T>;
  export function assertEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertStrictEquals<T>(
    actual: unknown,
    expected: T,
    msg?: string,
  ): asserts actual is T;
  export function assertNotStrictEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertObjectMatch(
    actual: Readonly<Record<PropertyKey, unknown>> | object,
    expected: Readonly<Record<PropertyKey, unknown>>,
    msg?: string,
  ): void;
  export function assertAlmostEquals(
    actual: number,
    expected: number,
    tolerance?: number,
    msg?: string,
  ): void;
  export function assertGreater<T>(actual: T, expected: T, msg?: string): void;
  export function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void;
  export function assertLess<T>(actual: T, expected: T, msg?: string): void;
  export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void;
  export function assertMatch(actual: string, expected: RegExp, msg?: string): void;
  export function assertNotMatch(actual: string, expected: RegExp, msg?: string): void;
  export function assertStringIncludes(actual: string, expected: string, msg?: string): void;
  export function assertArrayIncludes<T>(
    actual: ArrayLike<T>,
    expected: ArrayLike<T>,
    msg?: string,
  ): void;
  export function assertInstanceOf<T>(
    actual: unknown,
    // deno-lint-ignore no-explicit-any -- any class at all may be named
    expected: abstract new (...args: any[]) => T,
    msg?: string,
  ): asserts actual is T;
  export function assertIsError<E extends Error = Error>(
    error: unknown,
    errorClass?: ErrorClass<E>,
    msgMatches?: string | RegExp,
    msg?: string,
  ): asserts error is E;
  export function assertThrows(fn: () => unknown, msg?: string): unknown;
  export function assertThrows<E extends Error = Error>(
    fn: () => unknown,
    errorClass: ErrorClass<E>,
    msgIncludes?: string,
    msg?: string,
  ): E;
  export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
  export function assertRejects<E extends Error = Error>(
    fn: () => PromiseLike<unknown>,
    errorClass: ErrorClass<E>,
    msgIncludes?: string,
    msg?: string,
  ): Promise<E>;
  export function equal(a: unknown, b: unknown): boolean;
  export function fail(msg?: string): never;
  export function unreachable(msg?: string): never;
  export function unimplemented(msg?: string): never;
}
