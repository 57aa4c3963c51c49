import { systemClock } from "@firehose-backfill/core/clock";
import { testServer } from "@firehose-backfill/testing/cli/answering-server";
import { testWorld } from "@firehose-backfill/testing/cli/world";
import { expect, it } from "vitest";
import { main } from "../main.ts";

const NOTHING = () => ({ body: { ok: true, message: "" } });

it.each([
  [["stop"], [`SIGTERM ${process.pid}`]],
  [
    ["stop", "--now"],
    [`SIGTERM ${process.pid}`, `SIGTERM ${process.pid}`],
  ],
])("issue 17.5: %j ends the process of the data folder and waits until it is gone", async (argv, kills) => {
  await using world = await testWorld();
  const server = await testServer(world.dataDir, NOTHING);
  let looks = 0;
  const clock = {
    ...systemClock,
    sleep: async () => {
      looks += 1;
      if (looks === 3) await server[Symbol.asyncDispose]();
    },
  };
  const exitCode = await main(world.context(argv, { clock }));
  expect({ exitCode, kills: world.kills, stdout: world.stdout() }).toEqual({
    exitCode: 0,
    kills,
    stdout: `process ${process.pid} has stopped; to continue: firehose-backfill run\n`,
  });
  expect(looks).toBe(3);
});

it("issue 17.5: stop says when there is nothing to stop, and when the process does not end", async () => {
  await using world = await testWorld();
  expect(await main(world.context(["stop"]))).toBe(1);
  expect(world.stderr()).toBe(`firehose-backfill: no process is running on ${world.dataDir}\n`);
  await using _ = await testServer(world.dataDir, NOTHING);
  let nowMs = 0;
  const clock = {
    now: () => nowMs,
    sleep: (ms: number) => {
      nowMs += ms;
      return Promise.resolve();
    },
  };
  expect(await main(world.context(["stop"], { clock }))).toBe(1);
  expect(world.stderr()).toContain(`process ${process.pid} is still running after 60 s`);
});
