/** The local host refuses what Lambda refuses: else a function that works here would fail there. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/program.ts";
import { hasOwnClient } from "./host/environment.ts";
import { createLocalFunction, type Invocation } from "./host/local-function.ts";

const MB = 1024 * 1024;

async function invoke(code: string, event: unknown, more: { aheadMs?: number } = {}): Promise<Invocation> {
  await using folder = await temporaryFolder();
  const bundle = join(folder.path, "handler.mjs");
  await writeFile(bundle, code);
  await using fn = createLocalFunction({
    name: "tried",
    bundle,
    env: {},
    timeoutMs: 10_000,
    reservedConcurrency: 1,
    memoryMb: 256,
  });
  fn.jumpAhead(more.aheadMs ?? 0);
  return await fn.invoke(event);
}

describe("the local host of functions", () => {
  it("issue 18.3: takes events and answers of 6 MB, and no larger ones", async () => {
    const answer = "export const handler = async ({ bytes }) => 'x'.repeat(bytes)";
    expect(await invoke(answer, { bytes: 6 * MB - 2 })).toMatchObject({ outcome: "response" });
    expect(await invoke(answer, { bytes: 6 * MB + 1_000 })).toMatchObject({
      outcome: "error",
      error: expect.stringContaining("Function.ResponseSizeTooLarge"),
    });
    await expect(invoke(answer, { text: "x".repeat(6 * MB + 1_000) })).rejects.toThrow("RequestEntityTooLarge");
  });

  it("issue 18.3: does not load a handler with a callback, as Node 24 on Lambda", async () => {
    const code = "export const handler = (event, context, callback) => callback(null, 1)";
    await expect(invoke(code, {})).rejects.toThrow("removed support for callback-based");
  });

  it("issue 18.3: kills what takes more memory than the function has", async () => {
    const hungry =
      "const kept = []; export const handler = async () => { for (;;) { kept.push(Buffer.alloc(1e6, 1)); await new Promise(setImmediate); } }";
    expect(await invoke(hungry, {})).toMatchObject({ outcome: "memory", error: "Runtime.OutOfMemory: signal: killed" });
  });

  it.skipIf(!hasOwnClient)(
    "issue 18.3: has a clock that jumps, and a deadline that goes with it (needs our client)",
    async () => {
      const code =
        "export const handler = async (event, context) => [Date.now(), new Date().getTime(), new Date(5).getTime(), context.getRemainingTimeInMillis()]";
      const { body } = await invoke(code, {}, { aheadMs: 3_600_000 });
      const [now = 0, made = 0, given, leftMs]: number[] = JSON.parse(body ?? "[]");
      expect(now - Date.now()).toBeGreaterThan(3_500_000);
      expect(Math.abs(made - now)).toBeLessThan(1_000);
      expect(given).toBe(5);
      expect(leftMs).toBeLessThanOrEqual(10_000);
      expect(leftMs).toBeGreaterThan(5_000);
    },
  );
});
