/**
 * Stores the filters of a run, gzipped, in as many items as necessary: 10,000 DIDs take 320 KB as text, and an item holds 400
 * KB. They are written once, before the run begins. Unpacking 10,000 DIDs takes some milliseconds. It is synchronous, so that
 * simulations, whose clock waits for no file or thread, can use the same store.
 */
import { gunzipSync, gzipSync } from "node:zlib";
import type { ScopeSettings } from "@firehose-backfill/core/config/settings";
import { BrokenStateError } from "../errors.ts";
import { MAX_OPEN_RUNS } from "../run.ts";
import type { Table } from "../table/table.ts";
import { readBytes, readNumber } from "./attributes.ts";
import { scopeKey } from "./keys.ts";

const CHUNK_BYTES = 350_000;

export async function putScope(table: Table, runId: string, scope: ScopeSettings): Promise<void> {
  const bytes = gzipSync(JSON.stringify(scope));
  const chunks = Math.ceil(bytes.byteLength / CHUNK_BYTES);
  for (let chunk = 0; chunk < chunks; chunk += 1) {
    const part = bytes.subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES);
    await table.put(scopeKey(runId, chunk), { chunks: chunks, body: part });
  }
}

/**
 * Reads the scope of a run. It keeps the scopes of the open runs in memory, because every batch asks for one, and 10,000 DIDs
 * take a hundred read units and some milliseconds to unpack.
 */
export function scopeReader(table: Table): (runId: string) => Promise<ScopeSettings | null> {
  const known = new Map<string, ScopeSettings>();
  return async (runId) => {
    const scope = known.get(runId) ?? (await readScope(table, runId));
    if (scope === null) return null;
    known.delete(runId);
    known.set(runId, scope);
    const [oldest] = known.keys();
    if (known.size > MAX_OPEN_RUNS && oldest !== undefined) known.delete(oldest);
    return scope;
  };
}

/** null: no such run. @throws BrokenStateError if a chunk is missing or damaged */
async function readScope(table: Table, runId: string): Promise<ScopeSettings | null> {
  const items = await chunksOf(table, runId);
  const [first] = items;
  if (first === undefined) return null;
  if (items.length !== readNumber(first, "chunks"))
    throw new BrokenStateError(
      `run ${runId} has ${items.length} of ${readNumber(first, "chunks")} chunks of its scope`,
    );
  try {
    const bytes = gunzipSync(Buffer.concat(items.map((item) => readBytes(item, "body") ?? new Uint8Array())));
    const scope: ScopeSettings = JSON.parse(bytes.toString());
    return scope;
  } catch (cause) {
    throw new BrokenStateError(`the scope of run ${runId} cannot be read`, { cause });
  }
}

export async function deleteScope(table: Table, runId: string): Promise<void> {
  const items = await chunksOf(table, runId);
  for (const chunk of items.keys()) await table.delete(scopeKey(runId, chunk));
}

function chunksOf(table: Table, runId: string) {
  const { pk, sk: from } = scopeKey(runId, 0);
  return table.query({ pk, from, to: scopeKey(runId, 9999).sk });
}
