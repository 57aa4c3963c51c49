/** What an audit needs around it: accounts with repositories on a PDS, their directory, and a copy of them in a database. */
import { cidToText } from "@firehose-backfill/core/cid";
import type { RecordRow } from "@firehose-backfill/sink/rows";
import type { PostgresSink } from "@firehose-backfill/sink-postgres/sink";
import { type FakeDirectory, startFakeDirectory } from "@firehose-backfill/testing/repos/fake-directory";
import { type FakePds, startFakePds } from "@firehose-backfill/testing/repos/fake-pds";
import type { TestRepo } from "@firehose-backfill/testing/repos/test-repo";
import { applyTo, START_MS } from "@firehose-backfill/testing/sink/rows";

export interface Network extends AsyncDisposable {
  readonly pds: FakePds;
  readonly directory: FakeDirectory;
}

export async function startNetwork(repos: readonly TestRepo[]): Promise<Network> {
  const pds = await startFakePds(repos);
  const directory = await startFakeDirectory(
    repos.map(({ did, signer }) => [did, { key: signer.key, pds: pds.origin }]),
  );
  return {
    pds,
    directory,
    async [Symbol.asyncDispose]() {
      await directory[Symbol.asyncDispose]();
      await pds[Symbol.asyncDispose]();
    },
  };
}

/** `did:plc:` and 24 characters, in the order of the numbers 0 to 25. */
export function didOf(index: number): string {
  return `did:plc:${String.fromCodePoint(97 + index).repeat(24)}`;
}

/** The rows that a run would have applied: every record, at the commit's revision. */
export function rowsOf({ did, rev, records }: TestRepo): RecordRow[] {
  return records.map(({ key, cid }, index) => {
    const slash = key.indexOf("/");
    return {
      kind: "record",
      action: "create",
      did,
      collection: key.slice(0, slash),
      rkey: key.slice(slash + 1),
      rev,
      seq: index + 1,
      timeMs: START_MS + index,
      cid: cidToText(cid),
      json: "{}",
    };
  });
}

/** In batches, as a run does. */
export async function copyOf(sink: PostgresSink, repos: readonly TestRepo[]): Promise<void> {
  const rows = repos.flatMap(rowsOf);
  for (let at = 0; at < rows.length; at += 1_000) await applyTo(sink, rows.slice(at, at + 1_000));
}
