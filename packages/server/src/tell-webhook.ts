/** Looks at each open run for what somebody should be told of, and tells BACKFILL_NOTIFY_URL. */
import { createNotifier, type NotifierOptions } from "@firehose-backfill/status/notifier";
import { postWebhook } from "@firehose-backfill/status/post-webhook";
import type { Snapshot } from "@firehose-backfill/status/snapshot";

/** `url` null: nobody is told. */
export function tellWebhook(
  url: string | null,
  how: Omit<NotifierOptions, "post">,
): (snapshots: readonly Snapshot[]) => Promise<void> {
  if (url === null) return () => Promise.resolve();
  const notifier = createNotifier({ ...how, post: (message) => postWebhook(url, message) });
  return async (snapshots) => {
    for (const snapshot of snapshots) await notifier.look(snapshot);
  };
}
