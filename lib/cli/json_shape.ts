/**
 * The shapes of what commands print with `--json`: written once, beside the
 * command, shown by `zonecast help json`, and held to by the tests. Pure.
 */
import { isJsonObject, type JsonValue } from "../ops/mod.ts";

/** What a JSON value is, and what it means. */
export interface Shape {
  /** As help names it: "text", "number", "object". */
  readonly type: string;
  readonly help: string;
  /** May be absent from its object. */
  readonly optional?: boolean;
  /** May be null. */
  readonly nullable?: boolean;
  /** Of a text: all it may be. */
  readonly words?: readonly string[];
  /** Of an object: all its fields. */
  readonly fields?: Readonly<Record<string, Shape>>;
  /** Of a list: each of its items. */
  readonly items?: Shape;
  /** Of an object whose fields have names of their own: each value. */
  readonly values?: Shape;
}

/** A text. */
export function text(help: string): Shape {
  return { type: "text", help };
}

/** A text that is one of a few words. */
export function word(help: string, words: readonly string[]): Shape {
  return { type: "text", help, words };
}

/** A point in time: ISO 8601 in UTC. */
export function time(help: string): Shape {
  return { type: "time", help };
}

/** A number; what it counts, or its unit, stands in the help. */
export function number(help: string): Shape {
  return { type: "number", help };
}

/** true or false. */
export function yesNo(help: string): Shape {
  return { type: "true|false", help };
}

/** An object with these fields and no others. */
export function object(help: string, fields: Readonly<Record<string, Shape>>): Shape {
  return { type: "object", help, fields };
}

/** An object whose fields are named by what it lists. */
export function record(help: string, values: Shape): Shape {
  return { type: "object", help, values };
}

/** A list. */
export function list(help: string, items: Shape): Shape {
  return { type: "list", help, items };
}

/** The shape of a field that may be absent. */
export function maybe(shape: Shape): Shape {
  return { ...shape, optional: true };
}

/** The shape of a value that may be null. */
export function orNull(shape: Shape): Shape {
  return { ...shape, nullable: true };
}

/** A field in a flat listing: "zones[].serial". */
export interface ListedField {
  readonly path: string;
  /** "number", "text or null", "list, may be absent". */
  readonly type: string;
  readonly help: string;
}

/** All fields of a shape, each by its path, an object before what is in it. */
export function* listFields(shape: Shape, path = ""): Generator<ListedField> {
  if (path !== "") {
    const type = shape.words ? shape.words.map((each) => `"${each}"`).join(" or ") : shape.type;
    const notes = `${shape.nullable ? " or null" : ""}${shape.optional ? ", may be absent" : ""}`;
    yield { path, type: type + notes, help: shape.help };
  }
  if (shape.items) yield* listFields(shape.items, `${path}[]`);
  if (shape.values) yield* listFields(shape.values, path === "" ? "*" : `${path}.*`);
  for (const [name, field] of Object.entries(shape.fields ?? {})) {
    yield* listFields(field, path === "" ? name : `${path}.${name}`);
  }
}

/**
 * Where a value is not what its shape says, a line each; empty when it is.
 *
 * A field that the shape does not name is wrong too: it is not documented.
 */
export function* misfits(
  shape: Shape,
  value: JsonValue | undefined,
  path = "$",
): Generator<string> {
  if (value === undefined) {
    if (!shape.optional) yield `${path} is missing`;
  } else if (value === null) {
    if (!shape.nullable) yield `${path} is null, and should be ${shape.type}`;
  } else if (!isOfType(shape, value)) {
    yield `${path} is ${JSON.stringify(value).slice(0, 60)}, and should be ${shape.type}`;
  } else if (shape.words && !shape.words.includes(String(value))) {
    yield `${path} is ${JSON.stringify(value)}, which is none of ${shape.words.join(", ")}`;
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      yield* misfits(shape.items!, item, `${path}[${index}]`);
    }
  } else if (isJsonObject(value)) {
    const { fields = {}, values } = shape;
    for (const [name, field] of Object.entries(fields)) {
      yield* misfits(field, value[name], `${path}.${name}`);
    }
    for (const name of Object.keys(value).filter((name) => !Object.hasOwn(fields, name))) {
      if (values) yield* misfits(values, value[name], `${path}.${name}`);
      else yield `${path}.${name} is there, and not documented`;
    }
  }
}

function isOfType({ type }: Shape, value: JsonValue): boolean {
  switch (type) {
    case "text":
      return typeof value === "string";
    case "time":
      return typeof value === "string" && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value);
    case "number":
      return typeof value === "number";
    case "true|false":
      return typeof value === "boolean";
    case "list":
      return Array.isArray(value);
    default:
      return isJsonObject(value);
  }
}
