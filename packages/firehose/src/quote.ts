/** A text of a server that becomes part of an error, cut to a length that a person reads. */
import { cutText } from "@firehose-backfill/core/cut-text";

const MAX_QUOTED_CHARS = 500;

export function quote(text: string): string {
  return cutText(text, MAX_QUOTED_CHARS);
}
