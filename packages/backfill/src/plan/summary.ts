/** A plan in one sentence, for the answer to a control event and for logs. */
import type { Plan, Verdict } from "./types.ts";

const FINISHES: Readonly<Record<Verdict, string>> = {
  yes: "it finishes before the relay drops any of them",
  unclear: "it may not finish before the relay drops some of them",
  no: "it does NOT finish before the relay drops some of them",
};

export function summarizePlan(plan: Plan): string {
  const { beside } = plan;
  if (beside === undefined) return summarizeOne(plan);
  const seconds = plan.pace.seconds.expected + beside.pace.seconds.expected;
  return `${summarizeOne(plan)}. Beside it, ${summarizeOne(beside)}. Both share the pace: together ${inWords(seconds)}`;
}

function summarizeOne({ host, events, pace, advice, repos }: Plan): string {
  const count = Math.round(events.matching.expected).toLocaleString("en-US");
  const rate = pace.drainPerSecond.toLocaleString("en-US", { maximumFractionDigits: 1 });
  if (repos !== undefined) {
    const known = `${repos.isCounted ? "" : "at least "}${repos.known.toLocaleString("en-US")} repositories`;
    const of = `${host}: ${known}, about ${count} records, ${inWords(repos.seconds)} at ${rate} events/s`;
    return [of, ...advice].join(". ").replaceAll("..", ".");
  }
  const facts = `${host}: about ${count} events, ${inWords(pace.seconds.expected)} at ${rate} events/s; ${FINISHES[pace.finishes]}`;
  return [facts, ...advice].join(". ").replaceAll("..", ".");
}

function inWords(seconds: number): string {
  if (seconds >= 2 * 86_400) return `${(seconds / 86_400).toFixed(1)} days`;
  if (seconds >= 2 * 3_600) return `${(seconds / 3_600).toFixed(1)} hours`;
  return seconds >= 120 ? `${Math.round(seconds / 60)} minutes` : `${Math.round(seconds)} seconds`;
}
