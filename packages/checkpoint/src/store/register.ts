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
  /** null: a program of before began it, and did not say. */
  readonly about: string | null;
}

export interface Register {
  /** Runs in the order in which they began. Some may be finished, where a process ended before it took them out. */
  readonly open: readonly OpenEntry[];
  /** The run that left the register last; null: none has. */
  readonly last: string | null;
  /** 0: there is no such item yet. */
  readonly turn: number;
}

/** What a store remembers: that there is a register, so that the pointer need not be read any more. */
export interface RegisterReading {
  readonly table: Table;
  readonly known: { hasRegister: boolean };
}

const NO_RUN: Register = { open: [], last: null, turn: 0 };

/** One read. */
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

/** false: another writer was faster. A retry of the SDK may say so as well: the caller looks what is stored. */
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

/** Where there is a pointer, it has to say what was read; this write gives it our version. false: it says otherwise by now. */
async function sealPointer(table: Table, { open, last }: Register): Promise<boolean> {
  const runId = open[0]?.runId ?? last;
  if (runId === null) return true;
  const isUnmoved = all(equals("runId", runId), equals("open", open.length > 0));
  if ((await table.update(POINTER_KEY, { set: { runId } }, isUnmoved)) !== null) return true;
  if ((await table.get(POINTER_KEY)) === null) throw new BrokenStateError("the pointer to the last run is gone");
  return false;
}
