/** The User-Agent that hosts see: name, version, and whom to write to. */

/** `firehose-backfill/0.1.0 (ops@example.org)`. Characters of the contact that a header cannot hold are left out. */
export function userAgent(options: { version: string; contact: string | null }): string {
  const product = `firehose-backfill/${options.version}`;
  const contact = (options.contact ?? "").replaceAll(/[^\u0020-\u007e]/g, "").trim();
  return contact === "" ? product : `${product} (${contact})`;
}
