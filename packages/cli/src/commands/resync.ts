/** `resync`: requests that repositories are read anew. */
import { UsageError } from "@firehose-backfill/core/errors";
import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { TARGET_OPTIONS } from "../find-target.ts";
import { requestResyncs } from "../request-resyncs.ts";
import { listOf } from "../start-request.ts";

export const resync: Command = {
  name: "resync",
  summary: "Request that repositories are read anew: rows are added, corrected and removed.",
  details: [
    "The request is stored. A run called resync serves it, at the same pace, before other repositories. A running process or the",
    "deployed schedule begins that run within minutes; if there is neither, the next firehose-backfill run begins it. To see the",
    "requests: resyncs. To stop: pause --run resync, or cancel --run resync, which keeps the requests until they are made again.",
  ].join("\n"),
  noRun: "a request belongs to the database, and a run of its own serves it",
  options: {
    dids: { takes: "LIST", help: "These repositories: DIDs, separated by commas, or @FILE." },
    collections: {
      takes: "LIST",
      help: "Read only these collections, at most 50; default: those of the last run.",
    },
    ...TARGET_OPTIONS,
  },
  examples: [{ line: "resync --dids did:plc:ewvi7nxzyoun6zhxrhs64oiz", does: "Read one repository anew." }],
  run: async (context, args) => {
    const dids = listOf(context, args, "dids", "resync");
    if (dids === undefined || dids.length === 0)
      throw new UsageError("resync: say which repositories, with --dids LIST\nSee: firehose-backfill resync --help");
    const collections = listOf(context, args, "collections", "resync");
    const messages = await requestResyncs(context, args, { dids, collections, reason: "operator" });
    for (const message of messages) context.stdout.write(`${message}\n`);
    return EXIT.ok;
  },
};
