/** Set by the command on its control events, so that the log of a run tells it from other programs. */
export const SENDER_HEADER = "x-firehose-backfill-sender";
