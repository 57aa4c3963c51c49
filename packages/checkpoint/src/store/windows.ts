/** Windows: written before the cursor moves, registered by that move, read until the applied cursor has passed them. */
import { addSkipped } from "../bounds.ts";
import { BrokenStateError } from "../errors.ts";
import { isMoved, movedFields } from "../run-values.ts";
import type { Run, RunItem } from "../run.ts";
import type { WindowStore } from "../window-store.ts";
import type { OpenWindow, WindowItem } from "../window.ts";
import { absent, any, compare, equals } from "../table/conditions.ts";
import type { Item, Table } from "../table/table.ts";
import { cursor, itemOf, json, orNull, readJson, readNumber, readCursorOrNull } from "./attributes.ts";
import { LAST, ledgerKey, windowKey, windowPath } from "./keys.ts";
import { held } from "./lease.ts";
import { firstOutcome, readEntry } from "./ledger-item.ts";
import { type Deps, getRunItem, updateRunItem } from "./run-updates.ts";

export function windowMethods({ table }: Deps): Omit<WindowStore, "moveApplied" | "sweep"> {
  return {
    putWindow(lease, window) {
      const item = itemOf(windowAttributes({ ...window, runId: lease.runId, fence: lease.fence }));
      // If the SDK retries a write that succeeded, the same item is written again.
      const noHigherFence = any(absent("pk"), compare("fence", "<=", lease.fence));
      return table.put(windowKey({ ...window, runId: lease.runId }), item, noHigherFence);
    },

    async moveCursor(lease, move) {
      const after = await updateRunItem(
        table,
        lease.runId,
        { fields: movedFields(move) },
        held(lease),
        equals("epoch", move.generation),
        equals("registered", move.window - 1),
        any(absent("readerCursor"), compare("readerCursor.seq", "<=", move.readerCursor.ordinal)),
      );
      return after !== null || isMoved(await getRunItem(table, lease.runId), lease, move);
    },

    async noteStream(lease, { generation, target, sourceState, progress }) {
      const fields: Partial<RunItem> = {
        ...(target !== undefined && { target }),
        ...(sourceState !== undefined && { sourceState, sourceMoved: false }),
        ...(progress !== undefined && { progress }),
      };
      const inGeneration = generation === undefined ? [] : [equals("epoch", generation)];
      return (await updateRunItem(table, lease.runId, { fields }, held(lease), ...inGeneration)) !== null;
    },

    openWindows: (run, limit) => openWindows(table, run, limit),
  };
}

async function openWindows(table: Table, run: Run, limit: number): Promise<OpenWindow[]> {
  const { runId, generation } = run;
  const first = run.appliedWindow + 1;
  const last = Math.min(run.registered, run.appliedWindow + limit);
  if (last < first) return [];
  const windows = await queryWindows(table, run, { first, last });
  // If the applied cursor was moved meanwhile, the sweep may have removed items. Any other missing window is broken state.
  if (windows.length !== last - first + 1) {
    const now = await getRunItem(table, runId);
    const appliedWindow = now === null || now.generation !== generation ? run.registered : now.appliedWindow;
    const missing = Array.from({ length: last - first + 1 }, (_, index) => first + index).find(
      (wanted) => wanted > appliedWindow && windows.every((window) => window.number !== wanted),
    );
    if (missing !== undefined)
      throw new BrokenStateError(`window ${missing} of run ${runId} is registered and not there`);
  }
  const entries = await table.query({
    pk: ledgerKey({ runId, generation, window: first, fence: 0, number: 0 }).pk,
    from: windowPath(generation, first),
    to: windowPath(generation, last) + LAST,
  });
  const byWindow = Map.groupBy(
    entries.map((item) => readEntry(runId, item)),
    ({ key }) => key.window,
  );
  return windows.map((window) => ({
    window,
    entries: (byWindow.get(window.number) ?? []).filter(({ key }) => key.fence === window.fence).map(firstOutcome),
  }));
}

async function queryWindows(
  table: Table,
  { runId, generation }: Run,
  { first, last }: { readonly first: number; readonly last: number },
): Promise<WindowItem[]> {
  const { pk, sk: from } = windowKey({ runId, generation, number: first });
  const items = await table.query({ pk, from, to: windowKey({ runId, generation, number: last }).sk });
  return items.map((item) => readWindow(runId, item));
}

function windowAttributes(window: WindowItem) {
  return {
    epoch: window.generation,
    number: window.number,
    fence: window.fence,
    from: orNull(window.from, cursor),
    to: cursor(window.to),
    batches: window.batches,
    events: window.events,
    bytes: window.bytes,
    sentAtMs: window.sentAtMs,
    ...(window.lastDueMs === undefined ? {} : { lastDueMs: window.lastDueMs }),
    received: window.received,
    skipped: json(addSkipped({}, window.skipped)),
  };
}

export function readWindow(runId: string, item: Item): WindowItem {
  const to = readCursorOrNull(item, "to");
  if (to === null) throw new BrokenStateError(`a window of run ${runId} has no end`);
  return {
    runId,
    generation: readNumber(item, "epoch"),
    number: readNumber(item, "number"),
    fence: readNumber(item, "fence"),
    from: readCursorOrNull(item, "from"),
    to,
    batches: readNumber(item, "batches"),
    events: readNumber(item, "events"),
    bytes: readNumber(item, "bytes"),
    sentAtMs: readNumber(item, "sentAtMs"),
    ...(item["lastDueMs"] === undefined ? {} : { lastDueMs: readNumber(item, "lastDueMs") }),
    received: readNumber(item, "received"),
    skipped: readJson<Record<string, number>>(item, "skipped"),
  };
}
