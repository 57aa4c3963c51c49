/** What a random sample says of the whole copy, in one sentence. The command, the page and the report use the same words. */
import type { AuditConfidence } from "./audit-note.ts";

/** "Of 41,200 repositories at most 0.75 % differ, with 95 % confidence: …" */
export function confidenceText({ level, of, isExact, sampled, differing, notEqual }: AuditConfidence): string {
  const all = `${isExact ? "" : "about "}${of.toLocaleString("en-US")}`;
  const behind =
    notEqual.found === differing.found ? "" : `; behind or differing are at most ${percent(notEqual.share)} %`;
  return (
    `Of ${all} repositories at most ${percent(differing.share)} % differ, with ${Math.round(level * 100)} % confidence: ` +
    `of ${sampled.toLocaleString("en-US")} that were compared ${differing.found.toLocaleString("en-US")} did${behind}.`
  );
}

/** Rounded up: "at most" stays true. */
function percent(share: number): string {
  const scale = share < 0.01 ? 10_000 : 1_000;
  // 0.07 * 1,000 is a little more than 70.
  return `${Math.ceil(share * scale - 1e-9) / (scale / 100)}`;
}
