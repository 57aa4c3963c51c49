/** Describes a run that does not exist yet in one sentence: the answer to a dry run. Pure. */
import type { NewRun } from "@firehose-backfill/checkpoint/run";
import { allowedRatePerSecond } from "@firehose-backfill/throttle/slots";
import { paceOf } from "./pace.ts";

export function describeRun(run: NewRun): string {
  const rate = allowedRatePerSecond(paceOf({ throttle: run.throttle, backOff: 1 }));
  const { collections, dids } = run.scope;
  return [
    `on ${run.source.host} from ${startOf(run.start)} to ${endOf(run.end)}`,
    `at ${rate === null ? "no pace" : `${Number(rate.toFixed(2))} events/s`} (${run.profile})`,
    `collections ${listOf(collections)}, DIDs ${listOf(dids)}`,
  ].join(", ");
}

function startOf(start: NewRun["start"]): string {
  switch (start.kind) {
    case "time":
      return isoOf(start.timeMs);
    case "seq":
      return `sequence number ${start.seq}`;
    case "oldest":
      return "the oldest that the host keeps";
    case "live":
      return "now on";
    default: {
      const unreachable: never = start;
      return unreachable;
    }
  }
}

function endOf(end: NewRun["end"]): string {
  switch (end.kind) {
    case "caught-up":
      return "now";
    case "time":
      return isoOf(end.timeMs);
    case "seq":
      return `sequence number ${end.seq}`;
    default: {
      const unreachable: never = end;
      return unreachable;
    }
  }
}

const SHOWN = 3;

function listOf(names: readonly string[]): string {
  if (names.length === 0) return "all";
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : "";
  return `${names.slice(0, SHOWN).join(" ")}${more}`;
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
