import { VirtualClock } from "@firehose-backfill/testing/core/virtual-clock";
import { sampleSnapshot } from "@firehose-backfill/testing/status/sample-snapshot";
import { expect, test } from "vitest";
import { createServiceManager } from "./service-manager.ts";

function set(env: Readonly<Record<string, string>>) {
  const clock = new VirtualClock();
  const said: string[] = [];
  const manager = createServiceManager(env, { clock, notify: (states) => said.push(states.join(" ")) });
  return { clock, said, manager };
}

test("issue 17.6: without systemd nothing is said", () => {
  const { said, manager } = set({ WATCHDOG_USEC: "1000000" });
  manager.alive(sampleSnapshot({ dead: 0 }));
  manager.stopping();
  expect(said).toEqual([]);
});

test("issue 17.6: systemd hears that the service is ready, that it is alive twice in each watchdog's time, and that it stops", async () => {
  const { clock, said, manager } = set({ NOTIFY_SOCKET: "/run/systemd/notify", WATCHDOG_USEC: "20000000" });
  for (let second = 0; second < 21; second += 1) {
    manager.alive(sampleSnapshot({ dead: 0 }));
    await clock.advance(1_000);
  }
  manager.stopping();
  expect(said).toEqual([
    "READY=1 STATUS=running",
    "WATCHDOG=1 STATUS=running",
    "WATCHDOG=1 STATUS=running",
    "STOPPING=1",
  ]);
});

test("issue 17.6: a reason of the network stays one line of the status", () => {
  const { said, manager } = set({ NOTIFY_SOCKET: "@abstract" });
  manager.alive(sampleSnapshot({ status: "errored", reason: "no\nREADY=0" }));
  expect(said).toEqual([String.raw`READY=1 STATUS=errored (no\nREADY=0)`]);
});
