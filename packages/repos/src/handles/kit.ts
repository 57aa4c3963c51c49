/** Handles as a source: what a composition root makes once, and a tick opens. */
import type { Clock } from "@firehose-backfill/core/clock";
import type { SourceKit } from "@firehose-backfill/source/kit";
import { openDidClient } from "../did-client.ts";
import type { ResolveName } from "../http/guarded-lookup.ts";
import { hostTable } from "../http/host-table.ts";
import { createPoliteClient } from "../http/polite-client.ts";
import type { AskDomainOptions, ResolveTexts } from "./ask-domain.ts";
import { handleSource, type HandleSourceOptions } from "./handle-source.ts";
import { lookUpHandle } from "./look-up-handle.ts";
import { NEW_STATE, readState } from "./state.ts";
import { surveyHandles } from "./survey-handles.ts";

export interface HandlesKitOptions {
  readonly clock: Clock;
  /** 0 to 1. */
  readonly random: () => number;
  readonly userAgent: string;
  readonly resolveName: ResolveName;
  readonly resolveTexts: ResolveTexts;
  /** BACKFILL_PLC_URL. */
  readonly plcUrl: string;
  /** BACKFILL_HOST_RATE: requests a second to the directory. */
  readonly hostRate: number;
  readonly listHandles: HandleSourceOptions["list"];
  /** Whether runs beside this one are open that may bring more accounts. */
  readonly hasOthers: (runId: string) => Promise<boolean>;
  /** For tests. Left out: over https, on the handle's own domain. */
  readonly originOf?: NonNullable<AskDomainOptions["originOf"]>;
}

const MAX_DOCUMENTS = 2_000;
const MAX_HOSTS = 1_000;
const MAX_WAIT_MS = 2_000;

export function handlesKit(options: HandlesKitOptions): SourceKit {
  const rules = { allowLoopback: options.plcUrl.startsWith("http:") };
  const dids = openDidClient({ ...options, maxEntries: MAX_DOCUMENTS, requestsPerSecond: options.hostRate });
  const passes = new Map<string, number>();
  return {
    // An account that is looked up later has the handle that it has then.
    isLasting: true,

    survey: surveyHandles,

    async open(run) {
      const client = createPoliteClient({
        ...options,
        rules,
        requestsPerSecond: options.hostRate,
        states: hostTable(MAX_HOSTS),
        maxWaitMs: MAX_WAIT_MS,
      });
      const { clock, resolveTexts, originOf } = options;
      const how = {
        client,
        resolveTexts,
        resolveDid: dids.resolveDid,
        rules,
        ...(originOf === undefined ? {} : { originOf }),
      };
      return handleSource({
        clock,
        // Look-ups that were lost are listed again: the database does not have them.
        state: run.isMoved || run.state === null ? NEW_STATE : readState(run.state),
        cursor: run.cursor,
        applied: run.applied,
        list: options.listHandles,
        lookUp: (did, signal) => lookUpHandle(did, how, signal),
        hasOthers: () => options.hasOthers(run.runId),
        nextPassAtMs: passes.get(run.runId) ?? 0,
        onEmptyPass: (againAtMs) => passes.set(run.runId, againAtMs),
        isMemoryTight: run.isMemoryTight,
        close: () => client[Symbol.dispose](),
      });
    },
  };
}
