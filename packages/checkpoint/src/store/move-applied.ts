/** Moves the applied cursor: one update that moves it past complete windows and adds their counts, or does nothing. */
import { addTotals, difference, laterOf } from "../run-values.ts";
import type { WindowStore } from "../window-store.ts";
import { compare, equals } from "../table/conditions.ts";
import { held } from "./lease.ts";
import { deadReasonAttributes, readRunItem } from "./run-item.ts";
import { type Deps, updateRunOnce } from "./run-updates.ts";
import { getRunAndItem, withPace } from "./run-with-pace.ts";

export function moveAppliedMethods(deps: Deps): Pick<WindowStore, "moveApplied"> {
  return {
    async moveApplied(lease, move) {
      const found = await getRunAndItem(deps, lease.runId);
      if (found === null) return null;
      const { run, pace } = found;
      const { received, processed, stale, dead } = move.add;
      // Only this update changes `skipped`, and it always changes `folded`, too: while `folded` is unchanged, `skipped` is unchanged.
      const { skipped, deadReasons } = addTotals(run.totals, move.add);
      const reasons = deadReasonAttributes(difference(run.totals.deadReasons, deadReasons));
      const after = await updateRunOnce(
        deps,
        lease.runId,
        "foldMark",
        {
          fields: {
            appliedWindow: move.appliedWindow,
            appliedCursor: move.appliedCursor,
            lastFinishedAtMs: laterOf(run.lastFinishedAtMs, move.lastFinishedAtMs),
          },
          set: { skipped: skipped },
          add: { received, processed, stale, dead, ...reasons },
        },
        held(lease),
        equals("epoch", move.generation),
        equals("folded", move.appliedWindowBefore),
        compare("registered", ">=", move.appliedWindow),
      );
      return after === null ? null : withPace(readRunItem(after), pace);
    },
  };
}
