/** Checks each open run for news that operators should get, and sends it to BACKFILL_NOTIFY_URL. */
import { createNotifier, type NotifierOptions } from "@firehose-backfill/status/notifier";
import { postWebhook } from "@firehose-backfill/status/post-webhook";
import type { Snapshot } from "@firehose-backfill/status/snapshot";

/** `url` null: nothing is sent. */
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
