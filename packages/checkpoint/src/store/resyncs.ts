/** Requests for resyncs: an item a repository, and a counter, so that the number costs no search. */
import { MAX_RESYNCS, RESYNC_REASONS, type ResyncStore } from "../resync-store.ts";
import { absent, any, compare, oneOf } from "../table/conditions.ts";
import { itemOf, readCount, readNumber, readOneOf, readText, readTextOrNull } from "./attributes.ts";
import { LAST, resyncKey } from "./keys.ts";
import type { Deps } from "./run-updates.ts";

/** A DID that is longer is against the syntax, and too long for a key. */
const MAX_DID_CHARS = 900;
/** A link that came later shows that nothing is missing. */
const WITHDRAWABLE = ["chain", "sync"] as const;

export function resyncMethods({ table }: Deps): ResyncStore {
  return {
    async requestResync(paceId, { did, reason, rev, atMs }) {
      if (did.length > MAX_DID_CHARS) return false;
      const key = resyncKey(paceId, did);
      const item = itemOf({ reason, rev, atMs });
      // Replaced first: it is there already and counted.
      const isLasting = !WITHDRAWABLE.some((withdrawable) => withdrawable === reason);
      if (isLasting && (await table.put(key, item, oneOf("reason", WITHDRAWABLE)))) return true;
      const counter = await table.get(resyncKey(paceId, ""));
      if (counter !== null && readCount(counter, "count") >= MAX_RESYNCS) return false;
      if (!(await table.put(key, item, absent("pk")))) return false;
      await table.update(
        resyncKey(paceId, ""),
        { add: { count: 1 } },
        any(absent("pk"), compare("count", "<", MAX_RESYNCS)),
      );
      return true;
    },

    async withdrawResync(paceId, did) {
      if (did.length > MAX_DID_CHARS) return;
      // `delete` says true of a missing item, too, so it is looked for first.
      const key = resyncKey(paceId, did);
      if ((await table.get(key)) === null || !(await table.delete(key, oneOf("reason", WITHDRAWABLE)))) return;
      await table.update(resyncKey(paceId, ""), { add: { count: -1 } });
    },

    async listResyncs(paceId, limit) {
      const { pk, sk } = resyncKey(paceId, "");
      const [counter, ...items] = await table.query({ pk, from: sk, to: LAST, limit: limit + 1 });
      if (counter === undefined) return { count: 0, first: [] };
      const first = items.map((item) => ({
        did: readText(item, "sk"),
        reason: readOneOf(item, "reason", RESYNC_REASONS),
        rev: readTextOrNull(item, "rev"),
        atMs: readNumber(item, "atMs"),
      }));
      return { count: readCount(counter, "count"), first };
    },
  };
}
