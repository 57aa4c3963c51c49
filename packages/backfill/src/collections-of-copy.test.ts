import { RESYNC_RUN } from "@firehose-backfill/checkpoint/run";
import { parseConfig } from "@firehose-backfill/core/config/parse";
import { createMemoryStore } from "@firehose-backfill/testing/checkpoint/memory-store";
import { expect, test } from "vitest";
import { collectionsOfCopy } from "./collections-of-copy.ts";
import { newRun } from "./new-run.ts";

test("issue 16.4: an audit after a run compares what that run was asked for, whatever looked up handles or read repositories anew since", async () => {
  const store = createMemoryStore();
  let nowMs = Date.parse("2026-11-28T12:00:00Z");
  const end = async (
    runId: string,
    settings: Readonly<Record<string, string>>,
    { name, status = "succeeded" }: { name?: string; status?: "succeeded" | "cancelled" } = {},
  ) => {
    nowMs += 1_000;
    const config = parseConfig({ RELAY_URL: "wss://relay.example", ...settings });
    await store.createRun(newRun(config, { runId, nowMs, ...(name === undefined ? {} : { name }) }));
    const on = status === "succeeded" ? "running" : "cancelling";
    await store.transition(runId, ["enqueued"], on, { reason: null });
    await store.transition(runId, [on], status, { reason: null, finishedAtMs: nowMs });
  };
  const fallback = ["app.bsky.feed.like"];
  expect(await collectionsOfCopy(store, fallback)).toEqual(fallback);
  await end("posts", { BACKFILL_COLLECTIONS: "app.bsky.feed.post" });
  await end("cancelled", { BACKFILL_COLLECTIONS: "app.bsky.feed.repost" }, { status: "cancelled" });
  await end("handles", { BACKFILL_SOURCE: "handles" });
  await end("resync", { BACKFILL_SOURCE: "repos", BACKFILL_DIDS: "did:plc:a" }, { name: RESYNC_RUN });
  expect(await collectionsOfCopy(store, fallback)).toEqual(["app.bsky.feed.post"]);
  await end("all", {});
  expect(await collectionsOfCopy(store, fallback)).toEqual([]);
});
