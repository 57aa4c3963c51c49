import { parseConfig } from "@firehose-backfill/core/config/parse";
import { expect, test } from "vitest";
import { describeRun } from "./describe-run.ts";
import { newRun } from "./new-run.ts";

const NOW = Date.UTC(2026, 0, 31, 12);

test.each<[Readonly<Record<string, string>>, Partial<Parameters<typeof newRun>[1]>, string]>([
  [
    { BACKFILL_DAYS: "3" },
    {},
    "on sample from 2026-01-28T12:00:00Z to now, at 2.5 events/s (background), collections all, DIDs all",
  ],
  [
    {
      RELAY_URL: "wss://relay.example",
      BACKFILL_PROFILE: "fast",
      BACKFILL_COLLECTIONS: "app.bsky.feed.post",
      BACKFILL_DIDS: "did:plc:a,did:plc:b,did:plc:c,did:plc:d,did:plc:e",
    },
    { start: { kind: "seq", seq: 5 }, end: { kind: "time", timeMs: NOW } },
    "on relay.example from sequence number 5 to 2026-01-31T12:00:00Z, at 100 events/s (fast), collections app.bsky.feed.post, DIDs did:plc:a did:plc:b did:plc:c and 2 more",
  ],
  [
    { BACKFILL_BATCH_DELAY_MS: "0" },
    { start: { kind: "oldest" }, end: { kind: "seq", seq: 9 } },
    "on sample from the oldest that the host keeps to sequence number 9, at no pace (background), collections all, DIDs all",
  ],
])("%j %j", (settings, points, sentence) => {
  expect(describeRun(newRun(parseConfig(settings), { runId: "run", nowMs: NOW, ...points }))).toBe(sentence);
});
