import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { identifyProcess, isSameProcessAlive } from "./process-identity.ts";
import { readFrames } from "@firehose-backfill/testing/embedded/relay-client";
import { type Starters, startEmbedded } from "./stack.ts";

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "stack-"));
});
afterEach(() => rm(dataDir, { recursive: true, force: true, maxRetries: 5 }));

const nothing = { queue: false, table: false, postgres: false, relay: false };
const everything = { queue: true, table: true, postgres: true, relay: true };

/** Fakes of the stand-ins, which record how they were started and whether they were stopped. */
function fakes(overrides: Partial<Starters> = {}) {
  const folders: string[] = [];
  const stopped: string[] = [];
  const ends = new Map<string, () => void>();
  const fake = (name: string, pid: number) => {
    const exited = new Promise<null>((resolve) => ends.set(name, () => resolve(null)));
    return {
      pid,
      exited,
      async [Symbol.asyncDispose]() {
        stopped.push(name);
        ends.get(name)?.();
      },
    };
  };
  const starters: Starters = {
    queue: async ({ dataDir: folder }) => {
      folders.push(folder);
      return { ...fake("queue", 1), endpoint: "http://q", queueUrl: "http://q/1", dlqUrl: "http://q/2" };
    },
    table: async ({ dataDir: folder }) => {
      folders.push(folder);
      return { ...fake("table", 2), endpoint: "http://t", table: "t" };
    },
    postgres: async ({ dataDir: folder }) => {
      folders.push(folder);
      return {
        ...fake("postgres", 3),
        exited: Promise.withResolvers<void>().promise,
        guardianPid: 4,
        databaseUrl: "postgres://p",
      };
    },
    relay: async ({ dataDir: folder }) => {
      folders.push(folder);
      return { ...fake("relay", 5), url: "ws://r", events: 1, frames: 1 };
    },
    ...overrides,
  };
  return { starters, folders, stopped, ends };
}

test("the whole stack starts, answers, and leaves no process", { timeout: 120_000 }, async () => {
  const stack = await startEmbedded({ dataDir, need: everything });
  // A pid alone is not enough: a stopped process may stay a zombie if nobody reaps it.
  const processes = await Promise.all(Object.values(stack.pids).map(identifyProcess));
  const alive = () => Promise.all(processes.map(isSameProcessAlive));
  expect(await alive()).toEqual([true, true, true, true]);
  expect((await fetch(stack.queue?.endpoint ?? "")).status).toBeGreaterThan(0);
  expect((await fetch(stack.table?.endpoint ?? "")).status).toBeGreaterThan(0);
  expect(stack.postgres?.databaseUrl).toMatch(/^postgres:\/\/.*@127\.0\.0\.1:\d+\//);
  const url = `${stack.relay?.url}/xrpc/com.atproto.sync.subscribeRepos?cursor=0`;
  expect((await readFrames(url, 3)).frames).toHaveLength(3);
  await stack[Symbol.asyncDispose]();
  await vi.waitFor(async () => expect(await alive()).toEqual([false, false, false, false]), { timeout: 10_000 });
});

test("starts what is needed only, each in a folder of its own", async () => {
  const { starters, folders, stopped } = fakes();
  {
    await using stack = await startEmbedded({ dataDir, need: { ...nothing, queue: true, relay: true } }, starters);
    expect(folders).toEqual([join(dataDir, "queue"), join(dataDir, "relay")]);
    expect(stack).toMatchObject({ pids: { queue: 1, relay: 5 }, table: null, postgres: null });
  }
  expect(stopped).toEqual(["queue", "relay"]);
});

test("one that fails stops the others and is named", async () => {
  const { starters, stopped } = fakes({ table: () => Promise.reject(new Error("no room")) });
  await expect(startEmbedded({ dataDir, need: everything }, starters)).rejects.toMatchObject({
    name: "StandInError",
    standIn: "table",
    message: "the embedded table could not start: no room",
  });
  expect(stopped).toEqual(["queue", "postgres", "relay"]);
});

test("a failure ends the wait for those that still start; the first reason is told", async () => {
  const { starters } = fakes({
    table: () => Promise.reject(new Error("no room")),
    queue: ({ signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("aborted")))),
  });
  await expect(startEmbedded({ dataDir, need: everything }, starters)).rejects.toThrow("no room");
});

test("an abort while it starts stops what was started and rejects with its reason", async () => {
  const abort = new AbortController();
  const reason = new Error("Ctrl-C");
  const { starters, stopped } = fakes({
    queue: ({ signal }) => {
      abort.abort(reason);
      return Promise.reject(signal.reason);
    },
  });
  await expect(startEmbedded({ dataDir, need: everything, signal: abort.signal }, starters)).rejects.toBe(reason);
  expect(stopped).toEqual(["table", "postgres", "relay"]);
});

test("says which one is gone", async () => {
  const { starters, ends } = fakes();
  await using stack = await startEmbedded({ dataDir, need: everything }, starters);
  ends.get("table")?.();
  expect(await stack.exited).toBe("table");
});

test("one that cannot be stopped does not keep the others", async () => {
  const { starters, stopped } = fakes({
    queue: async () => ({
      pid: 1,
      exited: Promise.resolve(null),
      endpoint: "",
      queueUrl: "",
      dlqUrl: "",
      [Symbol.asyncDispose]: () => Promise.reject(new Error("stuck")),
    }),
  });
  const stack = await startEmbedded({ dataDir, need: everything }, starters);
  await expect(stack[Symbol.asyncDispose]()).rejects.toThrow("could not be stopped");
  expect(stopped).toEqual(["table", "postgres", "relay"]);
});
