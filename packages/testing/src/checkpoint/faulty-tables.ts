/** Adds faults to any table. */
import { aroundCalls } from "./around-calls.ts";
import type { Table } from "../../../checkpoint/src/table/table.ts";
import type { Step } from "./harness.ts";

/** Sends every write twice and returns the second answer, as the SDK does if the first one is lost. */
export function tellTwice(table: Table): Table {
  return aroundCalls(table, async (name, call) => {
    if (isWrite(name)) await call().catch(() => undefined);
    return call();
  });
}

class ProcessEnded extends Error {
  override readonly name = "ProcessEnded";
}

/** Whether the error is the one of a process that crashAtWrite() ended. */
export function hasEnded(error: unknown): boolean {
  return error instanceof ProcessEnded;
}

/** The process ends at its write number `at` (from 0), before it is sent or before the answer has come. */
export function crashAtWrite(table: Table, crash: { at: number; when: "before" | "after" }): Table {
  let writes = 0;
  return aroundCalls(table, async (name, call) => {
    if (!isWrite(name)) return call();
    writes += 1;
    if (writes - 1 < crash.at) return call();
    if (writes - 1 === crash.at && crash.when === "after") await call().catch(() => undefined);
    throw new ProcessEnded();
  });
}

/** Each call is a step that can wait, and can crash before it is sent or before its answer has come. */
export function inSteps(table: Table, step: Step): Table {
  return aroundCalls(table, (_name, call) => step(call));
}

function isWrite(name: keyof Table): boolean {
  return name === "put" || name === "update" || name === "delete" || name === "deleteMany";
}
