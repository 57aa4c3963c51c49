import { describe, expect, it } from "vitest";
import { parseControlForm } from "./parse-control-form.ts";
import { settingValue } from "./setting-value.ts";

describe("parseControlForm", () => {
  it.each([
    ["action=pause", { action: "pause" }],
    ["action=pause-now", { action: "pause", now: true }],
    ["action=resume&from=", { action: "resume" }],
    ["action=resume&from=oldest", { action: "resume", from: "oldest" }],
    ["action=cancel", { action: "cancel" }],
    ["action=tick", { action: "tick" }],
    ["action=redrive", { action: "redrive" }],
    [
      "action=tune&BACKFILL_BATCH_DELAY_MS=4000&BACKFILL_BATCH_SIZE=&BACKFILL_USE_IDLE=false",
      { action: "tune", settings: { BACKFILL_BATCH_DELAY_MS: 4_000, BACKFILL_USE_IDLE: false } },
    ],
    ["action=tune&BACKFILL_PROFILE=fast", { action: "tune", settings: { BACKFILL_PROFILE: "fast" } }],
    ["action=tune&BACKFILL_BATCH_SIZE=1e3", { action: "tune", settings: { BACKFILL_BATCH_SIZE: "1e3" } }],
    [
      "action=start&days=3&profile=&collections=app.bsky.feed.post%2C+app.bsky.feed.like&dryRun=true",
      { action: "start", days: 3, collections: ["app.bsky.feed.post", "app.bsky.feed.like"], dryRun: true },
    ],
    ["", { action: "" }],
  ])("%s", (form, event) => {
    expect(parseControlForm(new URLSearchParams(form))).toEqual(event);
  });
});

describe("settingValue", () => {
  it.each([
    ["4000", 4_000],
    ["-1", -1],
    ["true", true],
    ["false", false],
    ["007", "007"],
    ["1.5", "1.5"],
    ["abc", "abc"],
    ["99999999999999999999", "99999999999999999999"],
  ])("%s", (text, value) => {
    expect(settingValue(text)).toBe(value);
  });
});
