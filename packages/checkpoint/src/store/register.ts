/**
 * The register of runs: one item that names every open run. A run begins when the register names it, and it ends when its
 * status says so; it leaves the register afterwards. All of it is in one item, so that one condition decides whether
 * a run may begin: how many are open, whether the name is free, and whether one about the same is open. The condition is
 * `turn`, which rises with every change.
 *
 * A program of before kept one run in the item `pointer`. That is read where there is no register yet, and the first change
 * carries it over: the pointer takes this version, so that a program of before changes nothing any more, then the register is made.
 */
import { BrokenStateError } from "../errors.ts";
import { absent, all, equals } from "../table/conditions.ts";
import type { Item, Table } from "../table/table.ts";
import { json, readFlag, readJson, readNumber, readText, readTextOrNull } from "./attributes.ts";
import { OPEN_KEY, POINTER_KEY } from "./keys.ts";

export interface OpenEntry {
  readonly runId: string;
  readonly name: string | null;
  /** null: an older program began the run and did not store this. */
  readonly about: string | null;
}

export interface Register {
  /** The open runs in the order in which they began. Some may be finished, if a process ended before it removed them. */
  readonly open: readonly OpenEntry[];
  /** The run that was removed from the register last; null: none was. */
  readonly last: string | null;
  /** Rises with every change. 0: the item does not exist yet. */
  readonly turn: number;
}

/** The store remembers that the register exists, so that it need not read `pointer` any more. */
export interface RegisterReading {
  readonly table: Table;
  readonly known: { hasRegister: boolean };
}

const NO_RUN: Register = { open: [], last: null, turn: 0 };

/** Takes one read. */
export async function readRegister({ table, known }: RegisterReading): Promise<Register> {
  const [item = null, pointer = null] = known.hasRegister
    ? [await table.get(OPEN_KEY)]
    : await table.getMany([OPEN_KEY, POINTER_KEY]);
  if (item === null) return pointer === null ? NO_RUN : ofPointer(pointer);
  known.hasRegister = true;
  return {
    open: readJson<PackedEntry[]>(item, "runs").map(([runId, name, about]) => ({ runId, name, about })),
    last: readTextOrNull(item, "last"),
    turn: readNumber(item, "turn"),
  };
}

/** false: another writer was faster, or the SDK retried a write that succeeded. The caller must read what is stored. */
export async function changeRegister(
  table: Table,
  from: Register,
  to: Pick<Register, "open" | "last">,
): Promise<boolean> {
  if (from.turn === 0 && !(await sealPointer(table, from))) return false;
  const runs = to.open.map(({ runId, name, about }): PackedEntry => [runId, name, about]);
  const unmoved = from.turn === 0 ? absent("pk") : equals("turn", from.turn);
  const set = { runs: json(runs), last: to.last, turn: from.turn + 1 };
  return (await table.update(OPEN_KEY, { set }, unmoved)) !== null;
}

type PackedEntry = [runId: string, name: string | null, about: string | null];

function ofPointer(pointer: Item): Register {
  const runId = readText(pointer, "runId");
  return readFlag(pointer, "open")
    ? { ...NO_RUN, open: [{ runId, name: null, about: null }] }
    : { ...NO_RUN, last: runId };
}

/** If there is a `pointer`, this write gives it our version, on the condition that it is unchanged since it was read. false: it has changed. */
async function sealPointer(table: Table, { open, last }: Register): Promise<boolean> {
  const runId = open[0]?.runId ?? last;
  if (runId === null) return true;
  const isUnmoved = all(equals("runId", runId), equals("open", open.length > 0));
  if ((await table.update(POINTER_KEY, { set: { runId } }, isUnmoved)) !== null) return true;
  if ((await table.get(POINTER_KEY)) === null) throw new BrokenStateError("the pointer to the last run is gone");
  return false;
}
