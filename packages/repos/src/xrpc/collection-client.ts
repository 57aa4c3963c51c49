/** Calls com.atproto.sync.listReposByCollection: relays with a directory of collections know it, others do not. */
import { HostError } from "../http/http-errors.ts";
import type { PoliteClient } from "../http/polite-client.ts";
import type { RequestLimits } from "../http/request.ts";
import type { CollectionPage, FetchCollectionPage } from "../list-repos.ts";
import { readJson } from "./repo-client.ts";
import { XrpcError, xrpcErrorOf } from "./xrpc-error.ts";

/** The largest page that hosts send. */
const PAGE = "2000";
const LIMITS: RequestLimits = {
  maxBytes: 4_194_304,
  maxInflatedBytes: 4_194_304,
  deadlineMs: 60_000,
  minBytesPerWindow: 1,
  windowMs: 20_000,
};

export function collectionPages(client: PoliteClient): FetchCollectionPage {
  return async ({ origin, collection, cursor }, signal) => {
    const params = new URLSearchParams({ collection, limit: PAGE, ...(cursor === null ? {} : { cursor }) });
    const path = `/xrpc/com.atproto.sync.listReposByCollection?${params.toString()}`;
    return await client.get({ origin, path, accept: "application/json", limits: LIMITS }, signal, async (answer) => {
      if (answer.status === 200) return pageOf(await readJson(answer), origin);
      const error = await xrpcErrorOf(answer, `listReposByCollection of ${collection} at ${origin}`);
      const isUnknown = answer.status === 404 || answer.status === 501;
      if (isUnknown || (error instanceof XrpcError && error.code === "MethodNotImplemented")) return null;
      throw error;
    });
  };
}

function pageOf(body: { readonly [key: string]: unknown }, origin: string): CollectionPage {
  const { repos, cursor } = body;
  if (!Array.isArray(repos)) throw new HostError("bad-answer", `${origin} lists no repositories`);
  const items: readonly unknown[] = repos;
  return { dids: items.map(didOf), cursor: typeof cursor === "string" && cursor !== "" ? cursor : null };
}

function didOf(item: unknown): unknown {
  return typeof item === "object" && item !== null && "did" in item ? item.did : null;
}
