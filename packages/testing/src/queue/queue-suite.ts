/** What every BatchQueue must do. The queue in memory and the one on SQS both pass it, so that simulations are valid for SQS. */
import type { Clock } from "@firehose-backfill/core/clock";
import { describe, expect, test } from "vitest";
import { encodeMessage, type ReceivedMessage } from "@firehose-backfill/queue/message-codec";
import { batchOf, logged, mixedEvents, noise, recordEvent } from "./batches.ts";
import type { BatchQueue, IncomingMessage } from "@firehose-backfill/queue/types";

export interface QueueUnderTest extends AsyncDisposable {
  readonly queue: BatchQueue;
  readonly clock: Clock;
  /** Figures are right only after a while, as SQS's own are. */
  readonly areFiguresLate?: boolean;
  sendRaw(message: ReceivedMessage): Promise<void>;
}

/** `open` returns an empty queue with a visibility timeout of 20 s and, if given, another maxReceiveCount than 1000. */
export function describeQueue(
  where: string,
  open: (options: { maxReceiveCount?: number }) => Promise<QueueUnderTest>,
): void {
  const outgoing = (number: number, delaySeconds = 0) => ({
    batch: logged(batchOf([recordEvent(number)], { number })),
    delaySeconds,
  });
  const poll = { max: 10, waitSeconds: 1 };
  const numbers = (messages: readonly IncomingMessage[]) =>
    messages
      .map(({ content }) => (content.kind === "batch" ? content.batch.key.number : -1))
      .sort((left, right) => left - right);

  describe.concurrent(`a queue ${where}`, () => {
    test("hands over what was sent, once, until it is removed", async () => {
      await using under = await open({});
      const { queue } = under;
      const batch = batchOf(mixedEvents(7));
      expect(await queue.send([{ batch: logged(batch), delaySeconds: 0 }])).toBeGreaterThan(200);
      const [message, ...others] = await queue.receive(poll);
      expect(others).toEqual([]);
      expect(message).toMatchObject({ receiveCount: 1, content: { kind: "batch", batch } });
      expect(await queue.receive({ max: 10, waitSeconds: 0 })).toEqual([]);
      await queue.remove(message?.receiptHandle ?? "");
      expect(await queue.figures()).toMatchObject({ ready: 0, inFlight: 0, delayed: 0, deadLetters: 0 });
    });

    test("takes any number of batches, of any size that fits", async () => {
      await using under = await open({});
      const { queue } = under;
      const small = Array.from({ length: 25 }, (_, number) => outgoing(number));
      const { maxMessageBytes } = await queue.readLimits();
      const room = maxMessageBytes - 1024;
      const large = [25, 26, 27].map((number) => ({
        batch: logged(batchOf([recordEvent(number, { record: noise(room, number) })], { number })),
        delaySeconds: 0,
      }));
      expect(await queue.send([...small, ...large])).toBeGreaterThan(3 * room);
      const received: IncomingMessage[] = [];
      for (let messages = await queue.receive(poll); messages.length > 0; messages = await queue.receive(poll)) {
        expect(messages.length).toBeLessThanOrEqual(10);
        received.push(...messages);
      }
      expect(numbers(received)).toEqual(Array.from({ length: 28 }, (_, number) => number));
    });

    test("keeps a delayed message back", async () => {
      await using under = await open({});
      const { queue, clock } = under;
      const sentMs = clock.now();
      await queue.send([outgoing(1, 3), outgoing(2, 0)]);
      expect(numbers(await queue.receive({ max: 10, waitSeconds: 0 }))).toEqual([2]);
      const seen = { delayed: 1, inFlight: 1, ready: 0 };
      // Late figures would show the message when it is not delayed any more.
      expect(under.areFiguresLate === true ? seen : await queue.figures()).toMatchObject(seen);
      expect(numbers(await queue.receive({ max: 10, waitSeconds: 5 }))).toEqual([1]);
      expect(clock.now() - sentMs).toBeGreaterThanOrEqual(3_000);
    });

    test("a poll wakes up for a message, and ends without one", async () => {
      await using under = await open({});
      const { queue, clock } = under;
      const startMs = clock.now();
      const polling = queue.receive({ max: 1, waitSeconds: 10 });
      await clock.sleep(200);
      await queue.send([outgoing(1)]);
      expect(numbers(await polling)).toEqual([1]);
      expect(clock.now() - startMs).toBeLessThan(9_000);
      const emptyMs = clock.now();
      expect(await queue.receive(poll)).toEqual([]);
      expect(clock.now() - emptyMs).toBeGreaterThanOrEqual(950);
    });

    test("shows a message again when nobody removed it, with a new receipt", async () => {
      await using under = await open({});
      const { queue } = under;
      await queue.send([outgoing(1)]);
      const [first] = await queue.receive({ max: 1, waitSeconds: 1, visibilitySeconds: 1 });
      const [second] = await queue.receive({ max: 1, waitSeconds: 5 });
      expect(second).toMatchObject({ messageId: first?.messageId, receiveCount: 2 });
      expect(second?.receiptHandle).not.toBe(first?.receiptHandle);
      // The old receipt is no longer valid: neither call shows the message or fails.
      await queue.hide(first?.receiptHandle ?? "", 0);
      await queue.remove(first?.receiptHandle ?? "");
      expect(await queue.figures()).toMatchObject({ inFlight: 1, ready: 0 });
    });

    test("hides a message for longer, or shows it again", async () => {
      await using under = await open({});
      const { queue, clock } = under;
      await queue.send([outgoing(1)]);
      const [first] = await queue.receive({ max: 1, waitSeconds: 1, visibilitySeconds: 3 });
      const hiddenMs = clock.now();
      await queue.hide(first?.receiptHandle ?? "", 5);
      const [second] = await queue.receive({ max: 1, waitSeconds: 9 });
      expect(clock.now() - hiddenMs).toBeGreaterThanOrEqual(5_000);
      await queue.hide(second?.receiptHandle ?? "", 0);
      const [third] = await queue.receive({ max: 1, waitSeconds: 0 });
      expect(third).toMatchObject({ messageId: first?.messageId, receiveCount: 3 });
    });

    test("a message that is gone is not an error", async () => {
      await using under = await open({});
      const { queue } = under;
      await queue.send([outgoing(1)]);
      const [message] = await queue.receive(poll);
      const receipt = message?.receiptHandle ?? "";
      await queue.remove(receipt);
      await queue.remove(receipt);
      await queue.hide(receipt, 30);
      await queue.hide(receipt, 0);
      expect(await queue.receive({ max: 10, waitSeconds: 0 })).toEqual([]);
    });

    test("issue 19.3: removes ten messages with one call, also if one of them is gone", async () => {
      await using under = await open({});
      const { queue } = under;
      await queue.send(Array.from({ length: 11 }, (_, number) => outgoing(number)));
      const receipts: string[] = [];
      while (receipts.length < 11)
        receipts.push(...(await queue.receive({ max: 10, waitSeconds: 1 })).map(({ receiptHandle }) => receiptHandle));
      await queue.remove(receipts[3] ?? "");
      await queue.removeMany(receipts.slice(0, 10));
      expect(await queue.figures()).toMatchObject({ ready: 0, inFlight: 1 });
      await queue.hide(receipts[10] ?? "", 0);
      expect(await queue.receive({ max: 10, waitSeconds: 1 })).toHaveLength(1);
    });

    test("sets a message aside, where it can be looked at and stays", async () => {
      await using under = await open({});
      const { queue } = under;
      const batch = batchOf(mixedEvents(3));
      await queue.send([{ batch: logged(batch), delaySeconds: 0 }]);
      const [message] = await queue.receive(poll);
      if (message === undefined) throw new Error("nothing received");
      await queue.deadLetter(message);
      expect(await queue.figures()).toMatchObject({ ready: 0, inFlight: 0, deadLetters: 1 });
      expect(await queue.peekDeadLetters({ max: 5 })).toMatchObject([{ content: { kind: "batch", batch } }]);
      expect(await queue.figures()).toMatchObject({ deadLetters: 1 });
    });

    test("hands over what it cannot read, and sets that aside too", async () => {
      await using under = await open({});
      const { queue } = under;
      const { body, payload } = encodeMessage(logged(batchOf([recordEvent(1)])));
      await under.sendRaw({ body, payload: new Uint8Array([9, ...payload.subarray(1)]) });
      const [newer] = await queue.receive(poll);
      expect(newer?.content).toEqual({ kind: "newer-version", version: 9 });
      await queue.remove(newer?.receiptHandle ?? "");
      await under.sendRaw({ body: "hello", payload: null });
      const [malformed] = await queue.receive(poll);
      expect(malformed?.content.kind).toBe("malformed");
      if (malformed !== undefined) await queue.deadLetter(malformed);
      expect(await queue.peekDeadLetters({ max: 1 })).toMatchObject([{ content: { kind: "malformed" } }]);
    });

    test("gives up by itself on a message that was received too often", async () => {
      await using under = await open({ maxReceiveCount: 2 });
      const { queue } = under;
      await queue.send([outgoing(1)]);
      for (const receiveCount of [1, 2]) {
        const [message] = await queue.receive(poll);
        expect(message?.receiveCount).toBe(receiveCount);
        await queue.hide(message?.receiptHandle ?? "", 0);
      }
      expect(await queue.receive(poll)).toEqual([]);
      expect(await queue.figures()).toMatchObject({ ready: 0, inFlight: 0, deadLetters: 1 });
    });

    test("moves dead letters back", async () => {
      await using under = await open({});
      const { queue } = under;
      await queue.send(Array.from({ length: 12 }, (_, number) => outgoing(number)));
      for (let left = 12; left > 0;) {
        const messages = await queue.receive(poll);
        for (const message of messages) await queue.deadLetter(message);
        left -= messages.length;
      }
      expect(numbers(await queue.peekDeadLetters({ max: 3 })).length).toBe(3);
      expect(await queue.redrive({ max: 100, withinMs: 60_000 })).toEqual({ moved: 12, left: 0 });
      expect(await queue.figures()).toMatchObject({ ready: 12, deadLetters: 0 });
      const back = [...(await queue.receive(poll)), ...(await queue.receive(poll))];
      expect(numbers(back)).toEqual(Array.from({ length: 12 }, (_, number) => number));
      expect(await queue.redrive({ max: 100, withinMs: 60_000 })).toEqual({ moved: 0, left: 0 });
    });

    test("moves no more dead letters back than it is told", async () => {
      await using under = await open({});
      const { queue } = under;
      await queue.send([outgoing(1), outgoing(2)]);
      for (const message of await queue.receive(poll)) await queue.deadLetter(message);
      expect(await queue.redrive({ max: 1, withinMs: 60_000 })).toEqual({ moved: 1, left: 1 });
      expect(await queue.figures()).toMatchObject({ ready: 1, deadLetters: 1 });
    });

    test("says so after each call that is confirmed; a sender that fails there has sent those, and no more follow", async () => {
      await using under = await open({});
      const { queue } = under;
      let calls = 0;
      const many = Array.from({ length: 25 }, (_, number) => outgoing(number));
      await queue.send(many, { onConfirmed: () => void (calls += 1) });
      expect(calls).toBe(3);
      const failing = queue.send(many, {
        onConfirmed: () => {
          throw new Error("enough");
        },
      });
      await expect(failing).rejects.toThrow("enough");
      expect((await queue.figures()).ready).toBeGreaterThanOrEqual(35);
    });

    test("sends nothing once it is told to stop", async () => {
      await using under = await open({});
      const { queue } = under;
      await expect(queue.send([outgoing(1)], { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow(
        "enough",
      );
      expect(await queue.receive({ max: 1, waitSeconds: 0 })).toEqual([]);
    });
  });
}
