/**
 * Requests for resyncs: an item for each repository, and one more for each list of collections that alone are asked for; and a counter, so
 * that the number costs no search.
 */
import { someAtOnce } from "@firehose-backfill/core/some-at-once";
import { MAX_RESYNCS, RESYNC_REASONS, type ResyncRequest, type ResyncStore } from "../resync-store.ts";
import { absent, all, any, compare, equals, exists, oneOf } from "../table/conditions.ts";
import type { Item } from "../table/table.ts";
import { itemOf, json, readCount, readJson, readNumber, readOneOf, readText, readTextOrNull } from "./attributes.ts";
import { didOfResync, LAST, resyncKey } from "./keys.ts";
import type { Deps } from "./run-updates.ts";

/** A DID that is longer is against the syntax, and too long for a key. */
const MAX_DID_CHARS = 900;
/** A link that came later shows that nothing is missing. */
const WITHDRAWABLE = ["chain", "sync"] as const;
const AT_ONCE = 20;

export function resyncMethods({ table }: Deps): ResyncStore {
  return {
    async requestResync(paceId, { did, reason, rev, atMs, runId = null, collections }) {
      if (did.length > MAX_DID_CHARS) return "bad-did";
      const key = resyncKey(paceId, did, collections);
      const scope = { runId, collections: collections === undefined ? null : json(collections) };
      const item = itemOf({ reason, rev, atMs, ...scope });
      const isLasting = !WITHDRAWABLE.some((withdrawable) => withdrawable === reason);
      // Replaced first: it is there already and counted.
      if (isLasting && (await table.put(key, item, oneOf("reason", WITHDRAWABLE)))) return "placed";
      // A run has taken it, and what is asked for now may have come after its walk. Its reason stays: a link must not withdraw what an audit has found.
      const anew = { set: { rev, atMs, ...scope, takenBy: null } };
      if ((await table.update(key, anew, exists("takenBy"))) !== null) return "placed";
      const counter = await table.get(resyncKey(paceId, ""));
      if (counter !== null && readCount(counter, "count") >= MAX_RESYNCS)
        return (await table.get(key)) === null ? "full" : "there";
      if (!(await table.put(key, item, absent("pk")))) return "there";
      await table.update(
        resyncKey(paceId, ""),
        { add: { count: 1 } },
        any(absent("pk"), absent("count"), compare("count", "<", MAX_RESYNCS)),
      );
      return "placed";
    },

    async withdrawResync(paceId, did, provedRev = null) {
      if (did.length > MAX_DID_CHARS) return;
      // `delete` says true of a missing item, too, so it is looked for first.
      const key = resyncKey(paceId, did);
      const item = await table.get(key);
      if (item === null) return;
      const rev = readTextOrNull(item, "rev");
      if (provedRev !== null && (rev ?? "") <= provedRev) return;
      const isWithdrawable = oneOf("reason", WITHDRAWABLE);
      const isSame = rev === null ? isWithdrawable : all(isWithdrawable, equals("rev", rev));
      if (!(await table.delete(key, isSame))) return;
      await table.update(resyncKey(paceId, ""), { add: { count: -1 } });
    },

    async listResyncs(paceId, limit) {
      const { pk, sk } = resyncKey(paceId, "");
      const found = await table.query({ pk, from: sk, to: LAST, limit: limit + 1 });
      // A process that was killed between two writes has not counted its request; if it was the first one, there is no counter.
      const counter = found.find((item) => item["sk"] === sk) ?? {};
      const requests = found.filter((item) => item["sk"] !== sk).slice(0, limit);
      return {
        count: Math.max(requests.length, readCount(counter, "count")),
        done: readCount(counter, "done"),
        first: requests.map(readRequest),
      };
    },

    async takeResyncs(paceId, { dids, collections }, runId) {
      const taken = await someAtOnce(dids, AT_ONCE, (did) =>
        table.update(resyncKey(paceId, did, collections), { set: { takenBy: runId } }, exists("reason")),
      );
      return dids.filter((_, index) => taken[index] !== null).toSorted();
    },

    async endResync(paceId, did, runId) {
      const { pk, sk } = resyncKey(paceId, did);
      const isTaken = all(exists("reason"), equals("takenBy", runId));
      for (const item of await table.query({ pk, from: sk, to: `${sk} ${LAST}` })) {
        // A run reads one list of collections, so it has taken one of them at most.
        if (item["takenBy"] !== runId || !(await table.delete({ pk, sk: readText(item, "sk") }, isTaken))) continue;
        await table.update(resyncKey(paceId, ""), { add: { count: -1, done: 1 } });
      }
    },
  };
}

function readRequest(item: Item): ResyncRequest {
  const [runId, takenBy] = [readTextOrNull(item, "runId"), readTextOrNull(item, "takenBy")];
  return {
    did: didOfResync(readText(item, "sk")),
    reason: readOneOf(item, "reason", RESYNC_REASONS),
    rev: readTextOrNull(item, "rev"),
    atMs: readNumber(item, "atMs"),
    ...(runId === null ? {} : { runId }),
    ...(item["collections"] === undefined ? {} : { collections: readJson<string[]>(item, "collections") }),
    ...(takenBy === null ? {} : { takenBy }),
  };
}
