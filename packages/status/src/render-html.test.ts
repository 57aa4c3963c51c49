import { describe, expect, it } from "vitest";
import { RUN_STATUSES } from "@firehose-backfill/core/run-state";
import { contentSecurityPolicy, renderHtml } from "./render-html.ts";
import type { Snapshot } from "./snapshot.ts";
import { sampleEmptySnapshot, sampleCourse, sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";

const NONCE = "bm9uY2U=";
const EVIL = `"><script>alert(1)</script><img src=x onerror=alert(2)>'\u202e`;

function render(different: Parameters<typeof sampleSnapshot>[0] = {}, options: object = {}): string {
  return renderHtml(sampleSnapshot(different), { nonce: NONCE, course: sampleCourse(), ...options });
}

/** The visible text, without tags and with single spaces. */
function textOf(page: string): string {
  const body = page.slice(page.indexOf("<body"), page.indexOf("<script"));
  return body
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll("&#39;", "'")
    .replaceAll(/\s+/g, " ");
}

function labelsOf(page: string): readonly string[] {
  return [...page.matchAll(/<(?:button|summary)[^>]*class="button[^>]*>([^<]*)</g)].map(([, label]) =>
    (label ?? "").trim(),
  );
}

describe("the page", () => {
  it("says everything that the snapshot knows", () => {
    const text = textOf(render());
    for (const part of [
      "relay.example:443",
      "background · run-20260301-0900-k3",
      "As of 2026-03-01 12:00:00 UTC",
      "54.1 % running",
      "Time left about 2 h 32 min",
      "Elapsed 3 h",
      "Lag 14 h",
      "Falls off the relay in 2 d 10 h",
      "26,950 processed",
      "Received 28,120",
      "collection 830",
      "Dead 3",
      "2.49 events/s of 2.5 allowed",
      "On average 2.48 events/s",
      "Back-off none",
      "Delayed 45",
      "Oldest 1 min 58 s",
      "384 of 512 MB",
      "Batches at work 1 of 2",
      "Connections 1 of 2",
      "Applied 2026-02-28 22:00:00 4161900 14 h",
      "Last tick 30 s ago, took 3 s: read-ahead full",
      "Next tick in 30 s",
      "Relay keeps 3 d",
      "No errors.",
      "No gaps",
      "2000 profile",
    ]) {
      expect(text).toContain(part);
    }
  });

  it("says that a running run waits", () => {
    expect(render({ reason: "waiting: database" })).toContain(
      "Waiting: database. Nothing is lost, and it goes on by itself.",
    );
    expect(render({ status: "paused", reason: "paused by the operator" })).not.toContain("goes on by itself");
  });

  it("says of a tune that has not acted yet that it is pending, where the pace is shown and where the tune is", () => {
    const tune = { at: "2026-03-01T11:59:59Z", by: "tune", changes: { BACKFILL_BATCH_SIZE: { from: 5, to: 20 } } };
    const said = (pending: boolean) =>
      render({ tunes: [{ ...tune, pending }] }).split("pending until the next batch").length - 1;
    expect([said(true), said(false)]).toEqual([2, 0]);
  });

  it("sends no request to any other server", () => {
    const page = render();
    expect(page.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(/https?:\/\//);
    expect(page).not.toMatch(/<(?:link|script|img|iframe)[^>]*(?:src|href)="(?!data:)/);
  });

  it("runs under a strict policy: no inline style, no inline handler, one nonce", () => {
    const page = render({ status: "errored", queue: { ...sampleSnapshot().queue, deadLetters: 3 } });
    expect(page).not.toMatch(/\sstyle="/);
    expect(page).not.toMatch(/<[^>]*\son[a-z]+=/);
    expect([...page.matchAll(/<(?:script|style)[^>]*>/g)].map(([tag]) => tag)).toEqual([
      `<style nonce="${NONCE}">`,
      `<script nonce="${NONCE}">`,
    ]);
    const policy = contentSecurityPolicy(NONCE);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`script-src 'nonce-${NONCE}';`);
    expect(policy).not.toContain("unsafe");
  });

  it("escapes whatever came from somewhere else", () => {
    const position = { seq: 1, time: EVIL };
    const page = render(
      {
        runId: EVIL,
        host: EVIL,
        reason: EVIL,
        profile: EVIL,
        skipped: { [EVIL]: 1 },
        cursor: { start: position, reader: position, applied: position, target: position },
        lastTick: { at: EVIL, durationMs: 1, endedBecause: EVIL },
        gaps: [{ from: position, to: position, host: EVIL, reason: EVIL }],
        errors: [{ at: EVIL, source: EVIL, message: EVIL }],
        tunes: [{ at: EVIL, by: EVIL, pending: true, changes: { [EVIL]: { from: EVIL, to: EVIL } } }],
        settings: { [EVIL]: { value: EVIL, source: EVIL }, BACKFILL_BATCH_SIZE: { value: EVIL, source: EVIL } },
        at: EVIL,
      },
      { notice: { ok: false, text: EVIL } },
    );
    expect(page).toContain("&lt;script&gt;alert(1)");
    expect(page).not.toContain("<script>alert");
    expect(page).not.toContain("<img");
    expect(page.match(/<script/g)).toHaveLength(1);
  });

  it.each([
    ["none", ["Start a run…", "Start"]],
    [
      "running",
      [
        "Pause",
        "Tick now",
        "Tune…",
        "Tune",
        "More…",
        "Pause now",
        "Resume from there",
        "Cancel…",
        "Yes, cancel the run",
      ],
    ],
    [
      "paused",
      [
        "Resume",
        "Tick now",
        "Tune…",
        "Tune",
        "More…",
        "Pause now",
        "Resume from there",
        "Cancel…",
        "Yes, cancel the run",
      ],
    ],
    ["cancelling", ["Pause", "Tick now", "Tune", "More…", "Pause now", "Resume from there", "Cancel"]],
    ["succeeded", ["Start a new run…", "Start"]],
  ] as const)("offers by state: %s", (status, labels) => {
    expect(labelsOf(render({ status, dead: 0 }))).toEqual(labels);
  });

  it("shows disabled what the state refuses, and says why", () => {
    expect(render({ status: "paused" }).replaceAll(/\s+/g, " ")).toMatch(
      /id="do-tick"[^>]*disabled title="Not now: the run is paused; resume it first"/,
    );
    expect(render({ status: "running" })).not.toMatch(/id="do-tick"[^>]*disabled/);
  });

  it("offers to redrive, once, only where something is dead", () => {
    const buttons = (different: Partial<Snapshot>) => render(different).split("Redrive").length - 1;
    const queue = { ...sampleSnapshot().queue, deadLetters: 8 };
    expect([
      buttons({ dead: 0 }),
      buttons({ dead: 0, queue }),
      buttons({ dead: 1 }),
      buttons({ dead: 1, queue }),
    ]).toEqual([0, 1, 1, 1]);
  });

  it("says why events are dead", () => {
    expect(textOf(render()).replaceAll(/\s+/g, " ")).toMatch(/Dead 3.* nul-character 2 missing-block 1/);
  });

  it("warns: stale, stopped, falling behind", () => {
    const lastTick = { at: "2026-03-01T11:57:00.000Z", durationMs: 0, endedBecause: "read-ahead full" };
    expect(textOf(render({ lastTick }))).toContain("Stale: no sign of the reader for 3 min.");
    expect(textOf(render({ lastTick }, { tickMs: 600_000 }))).not.toContain("Stale");
    expect(textOf(render({ stopped: true }))).toContain("Stopped: the process is gone.");
    expect(textOf(render({ fallsOffInSeconds: 18_600 }))).toContain("falls off the relay's window in 5 h 10 min");
    expect(textOf(render())).not.toContain("Falling behind");
  });

  it("has a word for every state, and for none", () => {
    for (const status of RUN_STATUSES) expect(render({ status })).toContain(`class="word ${status}"`);
    const empty = textOf(renderHtml(sampleEmptySnapshot(), { nonce: NONCE }));
    expect(empty).toContain("no run yet");
    expect(empty).toContain("The course of the run appears here.");
  });

  it("can be used by keyboard and read aloud", () => {
    const page = render();
    expect(page).toContain('<html lang="en">');
    expect(page).toMatch(/role="progressbar"[^>]*aria-valuenow="54.1"/s);
    const inputs = [...page.matchAll(/<(?:input|select)[^>]*\sid="([^"]+)"/g)].map(([, id]) => id);
    expect(inputs.length).toBeGreaterThan(5);
    for (const id of inputs) expect(page).toContain(`<label for="${id}">`);
    expect(page.match(/<h1/g)).toHaveLength(1);
    for (const [, drawing] of page.matchAll(/(<svg[^>]*>)/gs)) expect(drawing).toMatch(/aria-label=|aria-hidden=/);
  });

  it("reloads itself where there is no script", () => {
    expect(render()).toContain('<noscript><meta http-equiv="refresh" content="10" /></noscript>');
  });

  it("shows the answer to a form", () => {
    expect(render({}, { notice: { ok: true, text: "run-1 is pausing" } })).toContain(
      '<p id="notice" class="notice" role="status">run-1 is pausing</p>',
    );
    expect(render()).toContain('<p id="notice" class="notice" role="status"></p>');
  });
});
