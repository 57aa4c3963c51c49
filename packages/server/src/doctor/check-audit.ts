/** BACKFILL_AUDIT_SAMPLE, looked at together with the source: what a relay gives cannot be equal to whole repositories. */
import type { Settings } from "@firehose-backfill/core/config/settings";
import { type Check, ok, warn } from "./check.ts";

/** Empty: nothing is audited. */
export function checkAudit({ auditSample, source }: Pick<Settings, "auditSample" | "source">): readonly Check[] {
  if (auditSample === 0) return [];
  const finding = `${auditSample} repositories at random are compared after each run that succeeded`;
  if (source !== "relay") return [ok("audit", finding)];
  return [
    warn(
      "audit",
      `${finding}, but the copy of a relay lacks what is older than the relay keeps, so that they will differ`,
      "set BACKFILL_SOURCE=both, which reads the repositories, too; or BACKFILL_AUDIT_SAMPLE=0",
    ),
  ];
}
