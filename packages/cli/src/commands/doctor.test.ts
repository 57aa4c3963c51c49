/** `doctor`: its lines, its exit code, and a configuration that is invalid. */
import type { Check } from "@firehose-backfill/server/doctor/check";
import { expect, it } from "vitest";
import { main } from "../main.ts";
import { testWorld } from "@firehose-backfill/testing/cli/world";

const well: Check = { name: "node", verdict: "ok", finding: "Node 24", advice: null };
const ill: Check = { name: "database", verdict: "fail", finding: "gone", advice: "start it" };

async function doctor(argv: readonly string[], checks: readonly Check[], env: Readonly<Record<string, string>> = {}) {
  await using world = await testWorld({ env });
  const loadDoctor = () => Promise.resolve({ examine: () => Promise.resolve(checks) });
  const exitCode = await main(world.context(["doctor", ...argv], { loadDoctor }));
  return { exitCode, stdout: world.stdout() };
}

it("says how each is, and what to do", async () => {
  expect(await doctor([], [well, ill])).toEqual({
    exitCode: 1,
    stdout: "ok    node      Node 24\nfail  database  gone\n                start it\n",
  });
  expect((await doctor([], [well, { ...ill, verdict: "warn" }])).exitCode).toBe(0);
});

it("for scripts", async () => {
  const { exitCode, stdout } = await doctor(["--json"], [well]);
  expect({ exitCode, checks: JSON.parse(stdout) }).toEqual({ exitCode: 0, checks: [well] });
});

it("finds a configuration that cannot be read, all of it", async () => {
  const { exitCode, stdout } = await doctor([], [well], { BACKFILL_BATCH_SIZE: "abc", BACKFILL_DAYS: "x" });
  expect(exitCode).toBe(1);
  expect(stdout).toContain('BACKFILL_BATCH_SIZE is "abc"');
  expect(stdout).toContain('BACKFILL_DAYS is "x"');
});
