/** The steps as they are drawn, each as often as it is to come. */
import fc from "fast-check";
import {
  CloseTransaction,
  OpenTransaction,
  RaiseFloor,
  SecondaryAway,
  Settle,
  Transaction,
  Unheard,
} from "./changes.ts";
import { MEANWHILE, Mistake } from "./mistake.ts";
import type { Model } from "./model.ts";
import { ZONES } from "./operation.ts";
import { insertion, rowOperation, zoneOperation } from "./operations.ts";
import { DeleteMany, Refill } from "./row_operations.ts";
import { PutBack, RaiseAbove } from "./shell.ts";
import {
  BREAKS,
  Burst,
  CopyState,
  Outage,
  ReadEverything,
  RemoveState,
  Restart,
  TerminateConnections,
} from "./troubles.ts";
import { BAD_ROWS } from "./verdicts.ts";
import { type GuardedStep, UnderGuard } from "./under_guard.ts";
import type { World } from "./world.ts";
import { AddZone } from "./zone_operations.ts";

type Command = fc.AsyncCommand<Model, World>;

const some = (max: number) =>
  fc.array(
    fc.oneof({ weight: 9, arbitrary: rowOperation }, { weight: 1, arbitrary: zoneOperation }),
    {
      minLength: 1,
      maxLength: max,
      size: "max",
    },
  );

const nothingOr = <T>(weight: number, arbitrary: fc.Arbitrary<T[]>) =>
  fc.oneof({ weight, arbitrary: fc.constant<T[]>([]) }, { weight: 1, arbitrary });

const transaction = fc
  .tuple(
    some(4),
    nothingOr(4, some(2)),
    fc.constantFrom("commit", "commit", "commit", "commit", "rollback" as const),
    fc.constantFrom(true, false, false),
  )
  .map((parts) => new Transaction(...parts));

/** Makes the zones come back that others remove. */
const newZone = fc.constantFrom(...ZONES).map((zone) =>
  new Transaction([new AddZone(zone)], [], "commit", true)
);

const restart = fc
  .tuple(
    fc.constantFrom("SIGKILL", "SIGTERM" as const),
    fc.constantFrom("kept", "kept", "kept", "lost", "old" as const),
    fc.constantFrom("default", "small" as const),
    nothingOr(1, some(3)),
    fc.constantFrom(undefined, ...BAD_ROWS),
  )
  .map((parts) => new Restart(...parts));

const burst = fc
  .tuple(
    fc.array(some(2), { minLength: 2, maxLength: 6, size: "max" }),
    fc.oneof(fc.constant(undefined), fc.nat(5)),
    fc.nat(40),
    fc.constantFrom(...BREAKS),
  )
  .map((parts) => new Burst(...parts));

const guardedStep: fc.Arbitrary<GuardedStep> = fc.record({
  operations: fc.oneof(
    some(3),
    fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 3 })).map((parts) => [new DeleteMany(...parts)]),
    fc.integer({ min: 2, max: 3 }).map((each) => [new Refill(each)]),
    zoneOperation.map((operation) => [operation]),
  ),
  then: fc.constantFrom(undefined, undefined, undefined, ...MEANWHILE),
  waits: fc.boolean(),
});

const underGuard = fc
  .tuple(
    fc.array(guardedStep, { minLength: 2, maxLength: 6, size: "max" }),
    fc.constantFrom("SQL", "command" as const),
  )
  .map((parts) => new UnderGuard(...parts));

/** The commands, each as often as it is here. */
export const COMMANDS: fc.Arbitrary<Command>[] = [
  ...Array<fc.Arbitrary<Command>>(22).fill(transaction),
  ...Array<fc.Arbitrary<Command>>(6).fill(fc.constant(new Settle())),
  ...Array<fc.Arbitrary<Command>>(3).fill(newZone),
  ...Array<fc.Arbitrary<Command>>(4).fill(burst),
  ...Array<fc.Arbitrary<Command>>(3).fill(restart),
  ...Array<fc.Arbitrary<Command>>(2).fill(
    fc.array(insertion, { minLength: 1, maxLength: 3 }).map((ops) => new OpenTransaction(ops)),
  ),
  ...Array<fc.Arbitrary<Command>>(3).fill(
    fc.constantFrom("commit", "commit", "rollback" as const).map((ends) =>
      new CloseTransaction(ends)
    ),
  ),
  fc.constant(new CopyState()),
  fc.constant(new RemoveState()),
  ...Array<fc.Arbitrary<Command>>(2).fill(fc.constant(new ReadEverything())),
  fc.tuple(fc.constantFrom("immediate", "fast", "kill9" as const), fc.boolean()).map((parts) =>
    new Outage(...parts)
  ),
  fc.constant(new TerminateConnections()),
  some(3).map((operations) => new Unheard(operations)),
  fc.tuple(
    fc.nat(3),
    fc.constantFrom("rows", "name servers", "zone" as const),
    fc.array(fc.constantFrom(...MEANWHILE), { maxLength: 2 }),
    fc.constantFrom("approved by SQL", "approved by command", "undone" as const),
  ).map((parts) => new Mistake(...parts)),
  some(2).map((operations) => new SecondaryAway(operations)),
  ...Array<fc.Arbitrary<Command>>(2).fill(underGuard),
  fc.tuple(fc.nat(3), fc.constantFrom(1, 1000, 2 ** 20)).map((parts) => new RaiseFloor(...parts)),
  ...Array<fc.Arbitrary<Command>>(2).fill(
    fc.tuple(fc.nat(3), fc.oneof(fc.constant(undefined), fc.nat(4))).map((parts) =>
      new PutBack(...parts)
    ),
  ),
  fc.tuple(fc.nat(3), fc.constantFrom(0, 1000, 2 ** 20), fc.boolean()).map((parts) =>
    new RaiseAbove(...parts)
  ),
];
