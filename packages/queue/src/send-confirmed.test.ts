import { SQSClient } from "@aws-sdk/client-sqs";
import type { Clock } from "@firehose-backfill/core/clock";
import { expect, test } from "vitest";
import { SendError } from "./queue-error.ts";
import { type Entry, sendConfirmed } from "./send-confirmed.ts";
import { intercept, isSendBatch } from "@firehose-backfill/testing/queue/intercept";

const entries = (count: number, bytes = 100): Entry[] =>
  Array.from({ length: count }, (_, number) => ({ body: `m${number}`, attributes: {}, delaySeconds: 0, bytes }));

/** Gets the entries of a call and returns which of them it accepts or refuses. */
type Answer = (bodies: readonly string[], call: number) => { taken?: readonly string[]; refused?: readonly string[] };

class AccessDenied extends Error {
  override readonly name = "AccessDenied";
  readonly $fault = "client";
}
class Unavailable extends Error {
  override readonly name = "ServiceUnavailable";
  readonly $fault = "server";
}

function server(answer: Answer) {
  const calls: string[][] = [];
  const sleptMs: number[] = [];
  let inFlight = 0;
  let mostInFlight = 0;
  const client = new SQSClient({ region: "us-east-1" });
  intercept(client, async (request) => {
    const sent = isSendBatch(request) ? (request.input.Entries ?? []) : [];
    const bodies = sent.map((entry) => entry.MessageBody ?? "");
    calls.push(bodies);
    inFlight += 1;
    mostInFlight = Math.max(mostInFlight, inFlight);
    await new Promise((resolve) => setImmediate(resolve));
    inFlight -= 1;
    const { taken = [], refused = [] } = answer(bodies, calls.length);
    const named = (list: readonly string[]) => sent.filter((entry) => list.includes(entry.MessageBody ?? ""));
    return {
      Successful: named(taken).map(({ Id }) => ({ Id })),
      Failed: named(refused).map(({ Id }) => ({ Id, Code: "InvalidMessageContents", SenderFault: true })),
    };
  });
  const clock: Clock = {
    now: () => 0,
    sleep: async (ms) => {
      sleptMs.push(ms);
    },
  };
  const send = (list: Iterable<Entry>, signal?: AbortSignal) =>
    sendConfirmed(list, {
      client,
      queueUrl: "https://sqs.us-east-1.amazonaws.com/1/q",
      maxCallBytes: 1000,
      clock,
      random: () => 1,
      signal,
    });
  return { send, calls, sleptMs, mostInFlight: () => mostInFlight };
}

const failureOf = async (sending: Promise<unknown>) => {
  const error = await sending.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof SendError)) throw new Error("not a SendError", { cause: error });
  return error;
};

test("ten entries a call, fewer when they are large, four calls at a time", async () => {
  const { send, calls, mostInFlight } = server((bodies) => ({ taken: bodies }));
  expect(await send([...entries(45, 10), ...entries(5, 600)])).toBe(45 * 10 + 5 * 600);
  expect(calls.map((bodies) => bodies.length)).toEqual([10, 10, 10, 10, 6, 1, 1, 1, 1]);
  expect(mostInFlight()).toBe(4);
});

test("only what was not confirmed is sent again, after a pause", async () => {
  const { send, calls, sleptMs } = server((bodies, call) => ({ taken: call === 1 ? ["m1", "m3"] : bodies }));
  await send(entries(5));
  expect(calls).toEqual([
    ["m0", "m1", "m2", "m3", "m4"],
    ["m0", "m2", "m4"],
  ]);
  expect(sleptMs).toEqual([100]);
});

test("gives up after seven tries, with growing pauses, and may be tried again", async () => {
  const { send, calls, sleptMs } = server(() => ({ taken: ["m0"] }));
  const error = await failureOf(send(entries(3)));
  expect(error).toMatchObject({ unconfirmed: 2, message: expect.stringContaining("does not name them") });
  expect(error.isRetryable()).toBe(true);
  expect(calls.length).toBe(7);
  expect(sleptMs).toEqual([100, 200, 400, 800, 1600, 3200]);
});

test("what the server refuses for good is not worth another try", async () => {
  const { send } = server((bodies) => ({ taken: bodies.filter((body) => body !== "m1"), refused: ["m1"] }));
  const error = await failureOf(send(entries(3)));
  expect(error).toMatchObject({ unconfirmed: 1, message: expect.stringContaining("InvalidMessageContents") });
  expect(error.isRetryable()).toBe(false);
});

test("a call that fails as a whole is made again", async () => {
  const { send, calls } = server((bodies, call) => {
    if (call < 3) throw new Unavailable("busy");
    return { taken: bodies };
  });
  expect(await send(entries(2))).toBe(200);
  expect(calls.length).toBe(3);
});

test("a call that is not allowed says so", async () => {
  const error = await failureOf(
    server(() => {
      throw new AccessDenied("not yours");
    }).send(entries(2)),
  );
  expect(error).toMatchObject({ unconfirmed: 2, message: expect.stringContaining("not yours") });
  expect(error.isRetryable()).toBe(false);
  expect(error.cause).toBeInstanceOf(AccessDenied);
});

class BatchRequestTooLong extends Error {
  override readonly name = "BatchRequestTooLong";
  readonly $fault = "client";
}

test("issue 12.5: a server that takes less in one call than SQS does gets smaller calls, without a pause", async () => {
  const { send, calls, sleptMs } = server((bodies) => {
    if (bodies.length > 3) throw new BatchRequestTooLong("too long");
    return { taken: bodies };
  });
  expect(await send(entries(10))).toBe(1000);
  const taken = calls.filter((bodies) => bodies.length <= 3).flat();
  expect(taken.sort()).toEqual(entries(10).map(({ body }) => body));
  expect(sleptMs).toEqual([]);
});

test("issue 12.5: a single entry that is too long for a call is refused for good", async () => {
  const { send } = server(() => {
    throw new BatchRequestTooLong("too long");
  });
  const error = await failureOf(send(entries(2)));
  expect(error).toMatchObject({ unconfirmed: 1, message: expect.stringContaining("too long") });
  expect(error.isRetryable()).toBe(false);
});

test("an error leaves no call behind and starts no new one", async () => {
  const { send, calls } = server((bodies) => ({ taken: bodies.includes("m0") ? [] : bodies }));
  let encoded = 0;
  function* counted() {
    for (const entry of entries(200)) {
      encoded += 1;
      yield entry;
    }
  }
  await failureOf(send(counted()));
  const made = calls.length;
  expect(encoded).toBe(200);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(calls.length).toBe(made);
});

test("a stop is obeyed between calls, and in a pause", async () => {
  const stop = new AbortController();
  const { send, calls } = server((bodies, call) => {
    if (call === 4) stop.abort(new Error("enough"));
    return { taken: call === 1 ? [] : bodies };
  });
  await expect(send(entries(100), stop.signal)).rejects.toThrow("enough");
  expect(calls.length).toBe(4);
});
