/** How we introduce ourselves to hosts: name, version, and whom to write to. */

/** `firehose-backfill/0.1.0 (ops@example.org)`; a contact with characters that a header cannot hold loses them. */
export function userAgent(options: { version: string; contact: string | null }): string {
  const product = `firehose-backfill/${options.version}`;
  const contact = (options.contact ?? "").replaceAll(/[^\u0020-\u007e]/g, "").trim();
  return contact === "" ? product : `${product} (${contact})`;
}
