/**
 * The lease of a run's only reader. Time decides only whether somebody else may take the lease; the fence decides whose writes
 * are valid. A reader whose lease has expired may continue until another one takes the lease. From then on, each of its writes
 * is refused.
 */
import { assertId, boundTick } from "../run-values.ts";
import type { RunStore } from "../run-store.ts";
import type { Lease } from "../window.ts";
import { absent, all, any, compare, equals } from "../table/conditions.ts";
import type { Condition } from "../table/table.ts";
import { renewPace } from "./renew-pace.ts";
import { type Deps, updateRunItem } from "./run-updates.ts";
import { joinPace } from "./run-with-pace.ts";

/** The condition of every fenced write. */
export function held(lease: Lease): Condition {
  return equals("fence", lease.fence);
}

export function leaseMethods(deps: Deps): Pick<RunStore, "acquireLease" | "renewLease" | "releaseLease"> {
  const { table } = deps;
  return {
    async acquireLease(runId, { owner, ttlMs, nowMs }) {
      assertId("owner", owner);
      // An owner may take its own lease again, which raises the fence. So the call also succeeds if the SDK retries a write
      // that succeeded.
      const isFree = any(absent("leaseOwner"), equals("leaseOwner", owner), compare("leaseExpiresAtMs", "<=", nowMs));
      const after = await updateRunItem(
        table,
        runId,
        { fields: { lease: { owner, expiresAtMs: nowMs + ttlMs } }, add: { fence: 1 } },
        isFree,
      );
      if (after === null) return null;
      await renewPace(deps, after, nowMs);
      const run = await joinPace(deps, after);
      return { lease: { runId, owner, fence: run.fence }, run };
    },

    async renewLease(lease, { ttlMs, nowMs }) {
      const fields = { lease: { owner: lease.owner, expiresAtMs: nowMs + ttlMs } };
      return (await updateRunItem(table, lease.runId, { fields }, stillOurs(lease))) !== null;
    },

    async releaseLease(lease, { tick, nextTickAtMs, queueEmptySinceMs, quiet }) {
      const fields = { lease: null, lastTick: boundTick(tick), nextTickAtMs, queueEmptySinceMs, quiet };
      await updateRunItem(table, lease.runId, { fields }, stillOurs(lease));
    },
  };
}

function stillOurs(lease: Lease): Condition {
  return all(held(lease), equals("leaseOwner", lease.owner));
}
