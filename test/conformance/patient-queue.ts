/**
 * SQS itself is many servers: a short poll asks some of them, any poll may give fewer messages than there are, and figures
 * are right within a minute. The program lives with that; the suite expects the plain answer, so it is waited for here.
 */
import type { BatchQueue, IncomingMessage } from "@firehose-backfill/queue/types";

const LOOK_MS = 5_000;
/** So often in a row the figures have to be the same. */
const SAME_TIMES = 4;

export function patientQueue(queue: BatchQueue): BatchQueue {
  return {
    ...queue,
    async receive(options) {
      const got: IncomingMessage[] = [
        ...(await queue.receive({ ...options, waitSeconds: Math.max(1, options.waitSeconds) })),
      ];
      while (got.length > 0 && got.length < options.max) {
        const more = await queue.receive({ ...options, waitSeconds: 1, max: options.max - got.length });
        if (more.length === 0) break;
        got.push(...more);
      }
      return got;
    },
    async figures() {
      let last = await queue.figures();
      for (let same = 1; same < SAME_TIMES;) {
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
        const next = await queue.figures();
        same = JSON.stringify(next) === JSON.stringify(last) ? same + 1 : 1;
        last = next;
      }
      return last;
    },
  };
}
