/** Keeps a message hidden from other consumers while its batch is applied, if the queue's visibility timeout is short. */
import type { ConsumerDeps } from "./deps.ts";

export function keepHidden(deps: ConsumerDeps, receiptHandle: string): AsyncDisposable {
  const renew = deps.renewVisibility;
  const done = new AbortController();
  const renewing = (async () => {
    if (renew === null) return;
    for (;;) {
      await deps.clock.sleep(renew.everyMs, done.signal);
      if (done.signal.aborted) return;
      // Not fatal: at worst the message is delivered twice, which may happen with every message.
      await deps.queue.hide(receiptHandle, renew.seconds).catch(() => undefined);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      done.abort();
      await renewing;
    },
  };
}
