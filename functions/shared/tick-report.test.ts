/** What the log and the metrics say of a tick: beside other runs each line and each metric line names its run; of one run nothing changes. */
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import { newRun } from "@firehose-backfill/backfill/new-run";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { addTrouble, type Trouble } from "./metrics.ts";
import { createObservability } from "./observability.ts";
import { createTickReporter } from "./tick-report.ts";

beforeEach(() => {
  // With it the libraries write to the console that this test replaces, and not past it.
  vi.stubEnv("POWERTOOLS_DEV", "true");
  vi.stubEnv("POWERTOOLS_METRICS_DISABLED", "false");
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** When the sample was taken. */
const AT_MS = Date.parse(sampleSnapshot().at);

async function report(names: readonly (string | null)[], more: { waitingSince?: number } = {}) {
  const lines: Record<string, unknown>[] = [];
  const take = (line: unknown) => void lines.push(JSON.parse(String(line)));
  for (const how of ["log", "info"] as const) vi.spyOn(console, how).mockImplementation(take);
  const observability = createObservability();
  const reporter = createTickReporter(observability);
  for (const [index, name] of names.entries()) {
    const given = newRun(parseConfig({}), { runId: `run-${index}`, nowMs: 0, ...(name === null ? {} : { name }) });
    const created = await createMemoryStore().createRun(given);
    const { waitingSince } = more;
    const run =
      waitingSince === undefined
        ? created
        : { ...created, status: "running" as const, waiting: { for: "database", sinceMs: waitingSince } };
    const result = {
      run,
      endedBecause: "read-ahead full",
      nextInMs: 0,
      read: null,
      outstanding: null,
      isLeaseLost: false,
    };
    reporter.report(result, sampleSnapshot(), { readerMb: 100, isOnly: names.length === 1 });
  }
  observability.publish();
  const messages = lines.flatMap(({ message }) => (typeof message === "string" ? [message] : []));
  return {
    progress: messages.filter((message) => message.includes("] Progress:")),
    memory: messages.filter((message) => message.includes("] Memory:")),
    about: lines.filter((line) => String(line["message"]).includes("] Progress:")),
    metrics: lines.filter((line) => "_aws" in line),
  };
}

test("issue 14.1: beside another run, log lines end with the run and carry it as fields", async () => {
  const { progress, memory, about } = await report([null, "nightly"]);
  expect(progress.map((line) => / \[run .*$/.exec(line)?.[0])).toEqual([" [run run-0]", " [run nightly]"]);
  expect(memory.map((line) => / \[run .*$/.exec(line)?.[0])).toEqual([" [run run-0]", " [run nightly]"]);
  expect(about).toMatchObject([{ runId: "run-0" }, { runId: "run-1", runName: "nightly" }]);
  // What an alarm may be about: the dashboard lists it by run.
  for (const line of about) expect(line).toMatchObject({ waitingSeconds: 0, fallsOffInSeconds: 209_000 });
});

test("issue 14.1: beside another run, its metrics are a line of their own that names it, with the dimensions that alarms read", async () => {
  const { metrics } = await report([null, "nightly"], { waitingSince: AT_MS - 600_000 });
  expect(metrics).toMatchObject([
    { run: "run-0", WaitingSeconds: 600 },
    { run: "nightly", WaitingSeconds: 600 },
  ]);
  const dimensions = metrics.map((line) => JSON.stringify(line["_aws"]).match(/"Dimensions":(\[\[.*?\]\])/)?.[1]);
  expect(dimensions).toEqual([dimensions[0], dimensions[0]]);
  expect(dimensions[0]).not.toContain("run");
});

test("issue 14.1: the lines of the only run are those of before", async () => {
  const { progress, metrics } = await report(["nightly"], { waitingSince: AT_MS - 600_000 });
  expect(progress).toHaveLength(1);
  expect(progress.join()).not.toContain("[run");
  expect(metrics).toHaveLength(1);
});

test.each([
  [0, []],
  [299, []],
  [300, [300]],
  [901, [901]],
])(
  "issue 18.5: a wait of %s s: a field of the line at every tick, a metric only near its alarm",
  async (seconds, written) => {
    const { metrics, about } = await report([null], { waitingSince: AT_MS - seconds * 1000 });
    expect(about.map((line) => line["waitingSeconds"])).toEqual([seconds]);
    expect(metrics.map((line) => line["WaitingSeconds"])).toEqual(written);
  },
);

test("issue 18.5: what is overdue or soon falls off is a metric near its alarm, and nothing is otherwise", () => {
  const written = (trouble: Trouble) => {
    const lines: string[] = [];
    vi.spyOn(console, "log").mockImplementation((line) => void lines.push(String(line)));
    const { metrics, publish } = createObservability();
    addTrouble(metrics, trouble);
    publish();
    return lines.map((line) => Object.keys(JSON.parse(line)).filter((name) => name.endsWith("Seconds")));
  };
  expect(written({ waitingSeconds: 0, oldestDueSeconds: 299, fallsOffInSeconds: 43_201 })).toEqual([]);
  expect(written({ waitingSeconds: 0, oldestDueSeconds: 300 })).toEqual([["OldestDueSeconds"]]);
  expect(written({ waitingSeconds: 0, fallsOffInSeconds: 43_200 })).toEqual([["FallsOffInSeconds"]]);
});
