import { readFileSync } from "node:fs";
import { sampleAudit, sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import { expect, test } from "vitest";
import { metricsText } from "./metrics-text.ts";

/** As `name{labels} value`; the values by the rest of the line. */
async function seriesOf(...snapshots: Parameters<typeof metricsText>[0]): Promise<ReadonlyMap<string, number>> {
  const { body } = await metricsText(snapshots, undefined);
  return new Map(
    body
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => {
        const space = line.lastIndexOf(" ");
        return [line.slice(0, space), Number(line.slice(space + 1))];
      }),
  );
}

const RUN = `run="run-20260301-0900-k3"`;

test("issue 17.6: every figure of a run is a metric in base units", async () => {
  const series = await seriesOf(sampleSnapshot({ outage: { text: "the relay cannot be reached", since: null } }));
  const expected: Readonly<Record<string, number>> = {
    [`firehose_backfill_events_received_total{${RUN}}`]: 28_120,
    [`firehose_backfill_events_processed_total{${RUN}}`]: 26_950,
    [`firehose_backfill_events_skipped_total{${RUN},reason="before-start"}`]: 210,
    [`firehose_backfill_events_dead{${RUN},reason="nul-character"}`]: 2,
    [`firehose_backfill_run_status{${RUN},status="running"}`]: 1,
    [`firehose_backfill_run_status{${RUN},status="paused"}`]: 0,
    [`firehose_backfill_source_unreachable{${RUN}}`]: 1,
    [`firehose_backfill_waiting{${RUN}}`]: 0,
    [`firehose_backfill_queue_messages{${RUN},state="delayed"}`]: 45,
    [`firehose_backfill_memory_limit_bytes{${RUN}}`]: 512 * 2 ** 20,
    [`firehose_backfill_last_tick_duration_seconds{${RUN}}`]: 3.2,
    [`firehose_backfill_last_tick_timestamp_seconds{${RUN}}`]: Date.parse("2026-03-01T11:59:30Z") / 1000,
  };
  const found = Object.keys(expected).map((name) => [name, series.get(name)]);
  expect(Object.fromEntries(found)).toEqual(expected);
});

test("issue 17.6: what is not known has no value, and several runs stand beside each other", async () => {
  const series = await seriesOf(
    sampleSnapshot({ allowedRatePerSecond: null, progress: null }),
    sampleSnapshot({ runId: "run-b", received: 7 }),
  );
  expect(series.has(`firehose_backfill_progress_ratio{${RUN}}`)).toBe(false);
  expect(series.has(`firehose_backfill_allowed_events_per_second{${RUN}}`)).toBe(false);
  expect(series.get('firehose_backfill_progress_ratio{run="run-b"}')).toBe(0.5417);
  expect(series.get('firehose_backfill_events_received_total{run="run-b"}')).toBe(7);
});

test("issue 16.4: the last audit has metrics; a run without one has none", async () => {
  const audit = sampleAudit({ differing: 2 });
  const series = await seriesOf(sampleSnapshot({ audit }), sampleSnapshot({ runId: "run-b" }));
  expect(series.get(`firehose_backfill_audit_repositories{${RUN},verdict="differing"}`)).toBe(2);
  expect(series.get(`firehose_backfill_audit_repositories{${RUN},verdict="equal"}`)).toBe(298);
  expect(series.get(`firehose_backfill_audit_differing_ratio_max{${RUN}}`)).toBe(408 / 41_200);
  expect(series.get(`firehose_backfill_audit_timestamp_seconds{${RUN}}`)).toBe(Date.parse(audit.at) / 1000);
  expect([...series.keys()].filter((key) => key.includes("audit") && key.includes("run-b"))).toEqual([]);
});

test("issue 17.6: without a run there is the program's version alone", async () => {
  const series = await seriesOf(sampleSnapshot({ runId: null, status: "none" }));
  expect([...series.keys()]).toEqual([expect.stringMatching(/^firehose_backfill_info\{version="[\d.]+"\}$/)]);
});

test("issue 17.6: a text of the network cannot break a line", async () => {
  const { body } = await metricsText([sampleSnapshot({ deadReasons: { 'a"\\\nb': 1 } })], undefined);
  expect(body).toContain(String.raw`reason="a\"\\\nb"} 1`);
});

test("issue 17.6: OpenMetrics for who asks for it, the older format for everyone else", async () => {
  const open = await metricsText([sampleSnapshot()], "application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
  expect(open.contentType).toMatch(/^application\/openmetrics-text/);
  expect(open.body.endsWith("# EOF\n")).toBe(true);
  expect(open.body).toContain("# TYPE firehose_backfill_events_received counter\n");
  const plain = await metricsText([sampleSnapshot()], "*/*");
  expect(plain.contentType).toMatch(/^text\/plain/);
  expect(plain.body).not.toContain("# EOF");
});

test("issue 17.6: the Grafana dashboard asks for metrics that exist, with labels that they have", async () => {
  const path = new URL("../../../docs/grafana/firehose-backfill.json", import.meta.url);
  const dashboard: unknown = JSON.parse(readFileSync(path, "utf8"));
  const expressions: string[] = [];
  JSON.stringify(dashboard, (key, value: unknown) => {
    if (key === "expr" && typeof value === "string") expressions.push(value);
    return value;
  });
  const series = await seriesOf(
    sampleSnapshot({ outage: { text: "x", since: null }, waiting: { for: "database", since: "2026-03-01T11:59:30Z" } }),
  );
  const labels = new Map<string, Set<string>>();
  for (const name of series.keys()) {
    const [metric = "", rest = ""] = name.split("{");
    const names = labels.get(metric) ?? new Set<string>();
    for (const [, label = ""] of rest.matchAll(/(\w+)="/g)) names.add(label);
    labels.set(metric, names);
  }
  expect(expressions.length).toBeGreaterThan(10);
  for (const expression of expressions) {
    const used = [...expression.matchAll(/(firehose_backfill_\w+)(?:\{([^}]*)\})?/g)];
    expect(used).not.toEqual([]);
    for (const [, metric = "", selector = ""] of used) {
      expect([...labels.keys()]).toContain(metric);
      for (const [, label = ""] of selector.matchAll(/(\w+)\s*[=!]~?/g))
        expect([...(labels.get(metric) ?? [])]).toContain(label);
    }
  }
});
