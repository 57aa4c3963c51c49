/** `report`: from the files of an ended process, and where it is written. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { addSnapshot, emptyHistory } from "@firehose-backfill/status/history";
import { sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import { expect, it } from "vitest";
import { main } from "../main.ts";
import { testServer } from "@firehose-backfill/testing/cli/answering-server";
import { testWorld } from "@firehose-backfill/testing/cli/world";

const first = sampleSnapshot({ at: "2026-03-01T11:00:00.000Z" });
const last = sampleSnapshot();
const history = [first, last].reduce(addSnapshot, emptyHistory(""));

it("is written from what the last process left, with its course", async () => {
  await using world = await testWorld();
  await writeFile(join(world.dataDir, "snapshot.json"), JSON.stringify(last));
  await writeFile(join(world.dataDir, "history.json"), JSON.stringify(history));
  expect(await main(world.context(["report"]))).toBe(0);
  const path = join(world.dataDir, `report-${last.runId}.html`);
  expect(world.stdout()).toBe(`${path}\n`);
  const page = await readFile(path, "utf8");
  expect(page).toContain("<svg");
  expect(page).toContain("when its process was last there");
});

it("of a live process; to standard output; without a course when there is none", async () => {
  await using world = await testWorld();
  await using server = await testServer(world.dataDir, () => ({ body: last }));
  expect(await main(world.context(["report", "--out", "-"]))).toBe(0);
  expect(world.stdout()).toMatch(/^<!doctype html>/);
  expect(world.stdout()).not.toContain("<svg");
  expect(server.asked.map(({ route }) => route)).toEqual(["GET /status.json", "GET /history.json"]);
});

it("says why there is none", async () => {
  await using world = await testWorld();
  expect(await main(world.context(["report"]))).toBe(1);
  expect(world.stderr()).toContain("no run has been started on");
  await writeFile(join(world.dataDir, "snapshot.json"), JSON.stringify(last));
  expect(await main(world.context(["report", "--out", "/nowhere/x.html"]))).toBe(1);
  expect(world.stderr()).toContain("cannot be written");
});
