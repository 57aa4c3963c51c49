/** Keeps a message out of other consumers' hands while its batch is applied, where the queue's visibility is short. */
import type { ConsumerDeps } from "./deps.ts";

export function keepHidden(deps: ConsumerDeps, receiptHandle: string): AsyncDisposable {
  const renew = deps.renewVisibility;
  const done = new AbortController();
  const renewing = (async () => {
    if (renew === null) return;
    for (;;) {
      await deps.clock.sleep(renew.everyMs, done.signal);
      if (done.signal.aborted) return;
      // Not fatal: at worst the message is delivered twice, which may happen to every message.
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
