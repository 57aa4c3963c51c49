/** The calls of com.atproto.sync that a walk needs, on any host; every block of an answer is checked. */
import { CID_LENGTH, cidFromText, cidToText } from "@firehose-backfill/core/cid";
import { MissingBlocksError, ResponseTooLargeError } from "../errors.ts";
import { HostError } from "../http/http-errors.ts";
import type { PoliteClient } from "../http/polite-client.ts";
import type { HttpAnswer, RequestLimits } from "../http/request.ts";
import { readCar, type TakeBlock } from "../read-car.ts";
import { MAX_NODE_BYTES } from "../tree/node.ts";
import { BlockTable } from "../walk/block-table.ts";
import { XrpcError, xrpcErrorOf } from "./xrpc-error.ts";

export interface RepoAddress {
  /** `https://host`, from the account's DID document. */
  readonly origin: string;
  readonly did: string;
}

export interface Archive {
  /** CID of the signed commit. */
  readonly root: Uint8Array;
  readonly blocks: BlockTable;
}

export interface RepoClient {
  /** The commit, and the nodes that lead to the key or prove that it is not there. */
  getRecord(repo: RepoAddress, key: string, signal: AbortSignal): Promise<Archive>;
  /** In the order of the CIDs. @throws MissingBlocksError, ResponseTooLargeError */
  getBlocks(repo: RepoAddress, cids: readonly Uint8Array[], signal: AbortSignal): Promise<readonly Buffer[]>;
  /** The whole repository, or the part that is newer than `since`, in memory. @throws ArchiveTooLargeError, TornArchiveError */
  getRepo(
    repo: RepoAddress,
    options: { readonly maxBytes: number; readonly since?: string },
    signal: AbortSignal,
  ): Promise<Archive>;
  /** Not signed: it only says which block to ask for. */
  getLatestCommit(repo: RepoAddress, signal: AbortSignal): Promise<{ readonly cid: Uint8Array; readonly rev: string }>;
}

const MEBIBYTE = 1_048_576;
/** Enough for a record and one path of nodes. */
const PROOF_BYTES = 8 * MEBIBYTE;
const BLOCKS_BYTES = 16 * MEBIBYTE;
const JSON_BYTES = 65_536;
/** The answer begins within 15 s: a tick reads for 50 s, and a repository takes two requests at least. Then at least 2 KB/s. A request may take five minutes, an archive half an hour. */
const PACE = { firstByteMs: 15_000, minBytesPerWindow: 20_000, windowMs: 10_000, deadlineMs: 300_000 } as const;
const ARCHIVE_DEADLINE_MS = 1_800_000;
const CAR = "application/vnd.ipld.car";

export function createRepoClient(client: PoliteClient): RepoClient {
  const call = <T>(
    { origin, did }: RepoAddress,
    method: string,
    params: URLSearchParams,
    { accept, limits }: { readonly accept: string; readonly limits: RequestLimits },
    signal: AbortSignal,
    read: (answer: HttpAnswer) => Promise<T>,
  ): Promise<T> =>
    client.get({ origin, path: `/xrpc/${method}?${params.toString()}`, accept, limits }, signal, async (answer) => {
      if (answer.status !== 200) throw await xrpcErrorOf(answer, `${method} of ${did} at ${origin}`);
      return await read(answer);
    });
  const limitsOf = (bytes: number): RequestLimits => ({ ...PACE, maxBytes: bytes, maxInflatedBytes: bytes });
  const readBlocks = async (answer: HttpAnswer, maxBytes: number) => {
    const blocks = new BlockTable();
    const limits = { maxBytes, maxBlockBytes: MAX_NODE_BYTES, root: "required" } as const;
    const summary = await readCar(answer.body, limits, (bytes, cid, _, end) => blocks.put(bytes, cid, end));
    return { root: summary.root ?? new Uint8Array(), blocks };
  };

  return {
    getRecord(repo, key, signal) {
      const slash = key.indexOf("/");
      const path = { collection: key.slice(0, slash), rkey: key.slice(slash + 1) };
      const params = new URLSearchParams({ did: repo.did, ...path });
      const how = { accept: CAR, limits: limitsOf(PROOF_BYTES) };
      return call(repo, "com.atproto.sync.getRecord", params, how, signal, (answer) => readBlocks(answer, PROOF_BYTES));
    },

    async getBlocks(repo, cids, signal) {
      const params = new URLSearchParams({ did: repo.did });
      for (const cid of cids) params.append("cids", cidToText(cid));
      const how = { accept: CAR, limits: limitsOf(BLOCKS_BYTES) };
      const blocks = new Map<string, Buffer>();
      // Each block is copied on its own: one that waits for its turn would keep the memory of a whole answer.
      const take: TakeBlock = (bytes, cid, start, end) =>
        blocks.set(keyOf(bytes, cid), Buffer.from(bytes.subarray(start, end)));
      const carLimits = {
        maxBytes: Number.POSITIVE_INFINITY,
        maxBlockBytes: MAX_NODE_BYTES,
        root: "optional",
      } as const;
      const read = (answer: HttpAnswer) => readCar(answer.body, carLimits, take);
      await call(repo, "com.atproto.sync.getBlocks", params, how, signal, read).catch((error: unknown) => {
        throw missingOrTooMany(error, cids);
      });
      const missing: Uint8Array[] = [];
      const found = cids.map((cid) => {
        const block = blocks.get(keyOf(cid, 0));
        if (block === undefined) missing.push(cid);
        return block ?? Buffer.alloc(0);
      });
      if (missing.length > 0) throw new MissingBlocksError(missing);
      return found;
    },

    getRepo(repo, { maxBytes, since }, signal) {
      const params = new URLSearchParams({ did: repo.did, ...(since === undefined ? {} : { since }) });
      // The archive's own limit is lower and has the error that says to walk.
      const limits = { ...limitsOf(maxBytes + MEBIBYTE), deadlineMs: ARCHIVE_DEADLINE_MS };
      return call(repo, "com.atproto.sync.getRepo", params, { accept: CAR, limits }, signal, (answer) =>
        readBlocks(answer, maxBytes),
      );
    },

    getLatestCommit(repo, signal) {
      const params = new URLSearchParams({ did: repo.did });
      // The answer is a few bytes, so it has a deadline but no least speed.
      const limits = { ...limitsOf(JSON_BYTES), minBytesPerWindow: 1, deadlineMs: 30_000 };
      const how = { accept: "application/json", limits };
      return call(repo, "com.atproto.sync.getLatestCommit", params, how, signal, async (answer) => {
        const { cid, rev } = await readJson(answer);
        const bytes = typeof cid === "string" ? cidFromText(cid) : null;
        if (bytes === null || typeof rev !== "string")
          throw new HostError("bad-answer", `${repo.origin} names no commit`);
        return { cid: bytes, rev };
      });
    },
  };
}

/** A text for a map; a character a byte. */
function keyOf(bytes: Uint8Array, cid: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + cid, CID_LENGTH).toString("latin1");
}

/** @throws HostError if the answer is not a JSON object */
export async function readJson({ body }: HttpAnswer): Promise<{ readonly [key: string]: unknown }> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  try {
    const parsed: unknown = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    if (isObject(parsed)) return parsed;
  } catch {
    // Not JSON: the error below covers it.
  }
  throw new HostError("bad-answer", "the answer is not a JSON object");
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** If one block is missing, the host answers 400 for all; if the address is too long, 414 or 431. */
function missingOrTooMany(error: unknown, cids: readonly Uint8Array[]): unknown {
  if (!(error instanceof XrpcError)) return error;
  if (error.status === 414 || error.status === 431) {
    return new ResponseTooLargeError(`${cids.length} CIDs are too many for one request`, { cause: error });
  }
  return error.status === 400 || error.status === 404 ? new MissingBlocksError(cids, { cause: error }) : error;
}
