/** A plan as text: what there is, how long it takes, whether it finishes, what it costs, and what to change. Pure. */
import type { Estimate, PacePlan, Plan, PlanRepos } from "@firehose-backfill/backfill/plan/types";
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import { formatBytes, formatCount, formatDuration, formatPercent, formatRate, formatTime } from "./format.ts";

const LABEL_WIDTH = 18;

export function renderPlan(plan: Plan): readonly string[] {
  const { beside } = plan;
  if (beside === undefined) return renderOne(plan);
  const together = formatDuration(plan.pace.seconds.expected + beside.pace.seconds.expected);
  return [
    ...renderOne(plan),
    "",
    ...renderOne(beside),
    "",
    `BACKFILL_SOURCE=both begins both runs. They share the pace, so together they take about ${together}, and the relay's takes longer than it would alone.`,
  ];
}

function renderOne(plan: Plan): readonly string[] {
  const { window, pace, cost, database } = plan;
  if (window.from === null || window.to === null) return [`Plan for ${escapeForLog(plan.host)}`, "", ...plan.advice];
  const { events, matchingShare } = plan;
  if (plan.repos !== undefined) return renderReposPlan(plan, plan.repos);
  return [
    `Plan for ${escapeForLog(plan.host)}, as of ${formatTime(plan.at)} UTC`,
    "",
    line(
      "Window",
      `${formatTime(window.from.time)} to ${formatTime(window.to.time)} UTC, ${formatDuration(window.seconds)}`,
    ),
    line(
      "The relay keeps",
      plan.retentionSeconds === null ? "everything: a recording" : formatDuration(plan.retentionSeconds),
    ),
    line(
      "Sampled",
      `${plan.sampled.positions} positions, ${formatCount(plan.sampled.frames)} frames, ${formatCount(plan.sampled.events)} events`,
    ),
    line("Arriving", `${rates(plan.arrivalPerSecond)} events/s`),
    line(
      "Matching",
      `${formatPercent(matchingShare.expected)} of them, ${formatRate(plan.matchingPerSecond)} events/s`,
    ),
    line(
      "Events to apply",
      `about ${counts(events.matching)}, of ${formatCount(events.received)} read (${formatBytes(plan.readBytes)})`,
    ),
    line("Database", `up to ${formatCount(database.rows)} rows, about ${formatBytes(database.bytes)}`),
    "",
    line("At this pace", paceText(pace)),
    line("It takes", durations(pace.seconds)),
    line("Finishes", finishes(pace)),
    line(
      "Costs on AWS",
      `${cost.totalUsd < 0.01 ? "" : "about "}${usd(cost.totalUsd)} (${cost.basis}; the database kept awake included)`,
    ),
    "",
    ...table(plan.profiles),
    ...(plan.advice.length === 0 ? [] : ["", ...plan.advice]),
  ];
}

function renderReposPlan(plan: Plan, repos: PlanRepos): readonly string[] {
  const { events, pace, cost, database } = plan;
  const { slowest } = repos;
  return [
    `Plan for ${escapeForLog(plan.host)}, as of ${formatTime(plan.at)} UTC`,
    "",
    line("Repositories", `${repos.isCounted ? "" : "at least "}${formatCount(repos.known)}`),
    line("Sampled", `${formatCount(repos.sampled)} of them; ${formatCount(repos.unreadable)} could not be read`),
    line("Records to apply", `about ${counts(events.matching)}, of ${formatCount(events.received)}`),
    line("Database", `up to ${formatCount(database.rows)} rows, about ${formatBytes(database.bytes)}`),
    line("Requests", `about ${formatCount(repos.requests)} to ${repos.hosts.length === 1 ? "one host" : "the hosts"}`),
    ...repos.hosts.map(({ host, repositories, requests }) =>
      line("", `${escapeForLog(host)}: ${formatCount(repositories)} repositories, ${formatCount(requests)} requests`),
    ),
    "",
    line("At this pace", paceText(pace)),
    line("It takes", durations(pace.seconds)),
    line(
      "The slowest host",
      slowest === null
        ? "not known"
        : `${escapeForLog(slowest.host)} takes ${formatDuration(slowest.seconds)}${slowest.seconds > pace.seconds.expected ? ": it decides how long the run takes" : ", which is less"}`,
    ),
    line("Finishes", "yes: repositories do not fall away"),
    line("Costs on AWS", `about ${usd(cost.totalUsd)} (${cost.basis}; the database kept awake included)`),
    "",
    ...table(plan.profiles),
    ...(plan.advice.length === 0 ? [] : ["", ...plan.advice]),
  ];
}

function line(label: string, text: string): string {
  return `${label.padEnd(LABEL_WIDTH)}${text}`;
}

function paceText({ allowedRatePerSecond, drainPerSecond, batchSize, batchDelayMs, maxConcurrent }: PacePlan): string {
  const rate = `${formatRate(drainPerSecond)} events/s`;
  if (allowedRatePerSecond === null) return `${rate}, no pace: estimated for ${maxConcurrent} batches at once`;
  return `${rate}: ${batchSize} events each ${batchDelayMs} ms`;
}

function finishes({ finishes: verdict, fallsOffAfterSeconds }: PacePlan): string {
  switch (verdict) {
    case "yes":
      return "yes, before the relay drops anything of it";
    case "unclear":
      return "perhaps: by the high estimate the relay drops events before they are read";
    case "no":
      return fallsOffAfterSeconds === null
        ? "no: the relay drops events before they are read"
        : `NO: after ${formatDuration(fallsOffAfterSeconds)} the relay drops events before they are read`;
    default: {
      const unreachable: never = verdict;
      return unreachable;
    }
  }
}

function table(profiles: readonly PacePlan[]): readonly string[] {
  const rows = profiles.map(({ profile, drainPerSecond, seconds, finishes: verdict, usd: price }) => [
    profile ?? "",
    formatRate(drainPerSecond),
    formatDuration(seconds.expected),
    verdict === "unclear" ? "perhaps" : verdict,
    usd(price),
  ]);
  const all = [["Profile", "events/s", "takes", "finishes", "costs"], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)) + 3);
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("")
      .trimEnd(),
  );
}

function rates({ low, expected, high }: Estimate): string {
  return high - low < 0.05 * expected
    ? formatRate(expected)
    : `${formatRate(low)} to ${formatRate(high)}, on average ${formatRate(expected)}`;
}

function counts({ low, expected, high }: Estimate): string {
  return isSure({ low, expected, high })
    ? formatCount(expected)
    : `${formatCount(expected)} (${formatCount(low)} to ${formatCount(high)})`;
}

function durations({ low, expected, high }: Estimate): string {
  const about = formatDuration(expected);
  return isSure({ low, expected, high }) ? about : `${about} (${formatDuration(low)} to ${formatDuration(high)})`;
}

function isSure({ low, expected, high }: Estimate): boolean {
  return high - low < 0.02 * expected || expected === 0;
}

function usd(value: number): string {
  return value > 0 && value < 0.01 ? "less than $0.01" : `$${value.toFixed(2)}`;
}
