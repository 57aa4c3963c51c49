/** Translates the reason why a window of a relay ends into the words of the source port. */
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import { REASON_CURSOR_AHEAD, REASON_SEQ_WENT_BACK, type Verdict } from "@firehose-backfill/source/verdict";
import type { Window } from "./types.ts";

export const REASON_SILENT = "the host is silent";
export const REASON_SILENT_ON_CURSOR = "the host is silent on our cursor";

export function verdictOf(window: Pick<Window, "endedBecause" | "detail">): Verdict {
  const kind = window.endedBecause;
  // It may hold text of the host, and it goes into states, errors and logs.
  const detail = window.detail === null ? null : escapeForLog(window.detail);
  switch (kind) {
    case "events":
      return { kind: "more", isFull: true };
    case "bytes":
    case "time":
    case "idle":
    case "bad-frame":
      return { kind: "more", isFull: false };
    case "caught-up":
    case "quiet":
      return { kind: "end", word: kind };
    case "aborted":
      return { kind: "stopped" };
    case "memory":
      return { kind: "memory" };
    case "unreachable":
      return { kind: "retry", reason: detail };
    case "host-silent":
      return { kind: "fail", reason: REASON_SILENT };
    case "silent-on-cursor":
      return { kind: "fail", reason: REASON_SILENT_ON_CURSOR };
    case "refused":
      return { kind: "fail", reason: `the host refused: ${detail ?? "no reason given"}` };
    case "cursor-ahead":
      return { kind: "pause", reason: REASON_CURSOR_AHEAD };
    case "seq-went-back":
      return { kind: "pause", reason: REASON_SEQ_WENT_BACK };
    default: {
      const unreachable: never = kind;
      return unreachable;
    }
  }
}
