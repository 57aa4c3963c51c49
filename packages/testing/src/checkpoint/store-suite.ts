/** Everything that a CheckpointStore promises, tested on any table. */
import { createStore } from "../../../checkpoint/src/create-store.ts";
import type { Table } from "../../../checkpoint/src/table/table.ts";
import { describeDeadEvents } from "./dead-events-suite.ts";
import { inSteps, tellTwice } from "./faulty-tables.ts";
import type { Harness } from "./harness.ts";
import { describeLedger } from "./ledger-suite.ts";
import { describeReader } from "./reader-suite.ts";
import { describeRuns } from "./run-suite.ts";
import { describeSchedules } from "./schedule-suite.ts";

export interface StoreSuiteOptions extends Pick<Harness, "isToldTwice" | "histories" | "looksEvery"> {
  /** A new, empty table. */
  readonly openTable: () => Promise<Table>;
}

export function describeStore({ openTable, ...options }: StoreSuiteOptions): void {
  const faulty = async (): Promise<Table> => (options.isToldTwice ? tellTwice(await openTable()) : openTable());
  const harness: Harness = {
    ...options,
    open: async () => createStore(await faulty()),
    async openShared() {
      const table = await openTable();
      return (step) => {
        const stepped = step === undefined ? table : inSteps(table, step);
        return createStore(options.isToldTwice ? tellTwice(stepped) : stepped);
      };
    },
  };
  describeRuns(harness);
  describeReader(harness);
  describeLedger(harness);
  describeDeadEvents(harness);
  describeSchedules(harness);
}
