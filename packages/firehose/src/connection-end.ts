/** What the end of a connection means, for the operator and for the next attempt. */
import { parseRetryAfter } from "./back-off.ts";
import type { ConnectionEnd } from "./connection.ts";
import { quote } from "./quote.ts";

/** HTTP answers to the upgrade after which another attempt is of no use. */
const PERMANENT_STATUSES: ReadonlySet<number> = new Set([400, 404, 405, 410, 501]);

export interface EndMeaning {
  /** A sentence for the operator. null: the reader records a broken frame instead. */
  readonly detail: string | null;
  /** A sentence for the operator: the server will never accept this connection. null: it may. */
  readonly refused: string | null;
  /** How long the server asks us to wait. null: it does not ask. */
  readonly waitMs: number | null;
}

export function explainEnd(end: ConnectionEnd, endedAtMs: number): EndMeaning {
  switch (end.kind) {
    case "closed":
      return plain(`closed with ${end.code}${end.reason === "" ? "" : `: ${end.reason}`}`);
    case "failed":
      return plain(end.error);
    case "frame-too-large":
      return plain(null);
    case "http":
      break;
  }
  const body = end.body.replaceAll(/\s+/g, " ").trim();
  const detail = `HTTP ${end.status} instead of the upgrade${body === "" ? "" : `: ${quote(body)}`}`;
  const refused = PERMANENT_STATUSES.has(end.status) ? detail : null;
  const waitMs = parseRetryAfter(end.retryAfter, endedAtMs);
  if (waitMs === null) return { detail, refused, waitMs };
  return { detail: `${detail} (retry after ${Math.ceil(waitMs / 1_000)} s)`, refused, waitMs };
}

function plain(detail: string | null): EndMeaning {
  return { detail, refused: null, waitMs: null };
}
