/** Repositories that have to be read anew, in words. Text and page use the same ones. Pure. */
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import { formatCount } from "./format.ts";
import type { Snapshot } from "./snapshot.ts";

const SHOWN = 3;

/** `2 repositories have to be read anew: did:plc:… (chain), did:plc:… (audit); 5 were read`; null: there was never a request. */
export function resyncsText({ count, done, first }: Snapshot["resyncs"]): string | null {
  if (count === 0) return done === 0 ? null : `${formatCount(done)} repositories were read anew`;
  const which = first.slice(0, SHOWN).map(({ did, reason }) => `${escapeForLog(did)} (${escapeForLog(reason)})`);
  const repos = count === 1 ? "repository has" : "repositories have";
  const before = done === 0 ? "" : `; ${formatCount(done)} were read`;
  return `${formatCount(count)} ${repos} to be read anew: ${which.join(", ")}${count > SHOWN ? ", ..." : ""}${before}`;
}
