/** Which repositories a run has: those that it names, or what hosts list by collection; and who is asked for them. */
import type { Clock } from "@firehose-backfill/core/clock";
import type { ScopeSettings } from "@firehose-backfill/core/config/settings";
import type { SourceItems } from "@firehose-backfill/source/items";
import type { ResolveName } from "../http/guarded-lookup.ts";
import { hostTable } from "../http/host-table.ts";
import { createPoliteClient, type PoliteClient } from "../http/polite-client.ts";
import type { SendGet } from "../http/request.ts";
import { listByCollection, listFixed, type ListRepos } from "../list-repos.ts";
import { collectionPages } from "../xrpc/collection-client.ts";
import { listingOrigins } from "./listing-origins.ts";

export interface ReposKitOptions {
  readonly clock: Clock;
  /** 0 to 1. */
  readonly random: () => number;
  readonly userAgent: string;
  readonly resolveName: ResolveName;
  /** Default: over a socket. */
  readonly send?: SendGet | undefined;
  /** BACKFILL_PLC_URL. On loopback, the hosts of its accounts may be there, too. */
  readonly plcUrl: string;
  /** BACKFILL_HOST_RATE. */
  readonly hostRate: number;
  readonly items: SourceItems;
}

export type ListerOptions = Omit<ReposKitOptions, "items" | "hostRate" | "plcUrl">;

/** DIDs of one page of a fixed list. */
const FIXED_PAGE = 1_000;
const MAX_HOSTS = 100;
/** A host that may be asked within this time is waited for. */
const MAX_WAIT_MS = 5_000;

export interface Lister extends Disposable {
  readonly list: ListRepos;
}

/** @throws Error where the run names no repositories */
export function listerOf(scope: ScopeSettings, options: ListerOptions): Lister {
  if (scope.dids.length > 0) return { list: listFixed(scope.dids, FIXED_PAGE), [Symbol.dispose]() {} };
  const origins = listingOrigins(scope.relayUrl);
  if (scope.collections.length === 0 || origins.length === 0)
    throw new Error("the run names no repositories: neither BACKFILL_DIDS, nor BACKFILL_COLLECTIONS and RELAY_URL");
  const client = listingClient(origins, options);
  const listing = { origins, collections: scope.collections, fetchPage: collectionPages(client), maxRemembered: 0 };
  return { list: listByCollection(listing), [Symbol.dispose]: () => client[Symbol.dispose]() };
}

/** Hosts that the operator has named. */
function listingClient(origins: readonly string[], options: ListerOptions): PoliteClient {
  return createPoliteClient({
    ...options,
    rules: { allowLoopback: origins.some((origin) => origin.startsWith("http:")) },
    requestsPerSecond: 1,
    states: hostTable(MAX_HOSTS),
    maxWaitMs: MAX_WAIT_MS,
  });
}
