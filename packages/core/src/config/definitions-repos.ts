/** The settings for accounts and their repositories: where they are looked up, how fast, and what is checked. */
import type { DefinitionTable } from "./definition-table.ts";
import { boolean, integer } from "./kinds.ts";
import { plcUrl } from "./plc-url.ts";

export const REPOS_SETTINGS: DefinitionTable<"plcUrl" | "hostRate" | "handles" | "auditSample"> = {
  plcUrl: {
    key: "plcUrl",
    name: "BACKFILL_PLC_URL",
    group: "deployment",
    kind: plcUrl,
    fallback: "https://plc.directory",
    help: "Directory of did:plc accounts: where repositories are, and which keys sign them.",
  },
  hostRate: {
    key: "hostRate",
    name: "BACKFILL_HOST_RATE",
    group: "deployment",
    kind: integer(1, 8),
    fallback: 2,
    help: "Requests per second to one host of repositories; when handles are looked up, also to the directory.",
  },
  handles: {
    key: "handles",
    name: "BACKFILL_HANDLES",
    group: "deployment",
    kind: boolean,
    fallback: false,
    help: "Whether a run of its own looks up the handles of all accounts in the database and checks them both ways.",
  },
  auditSample: {
    key: "auditSample",
    name: "BACKFILL_AUDIT_SAMPLE",
    group: "deployment",
    kind: integer(0, 1_000),
    fallback: 0,
    help: "How many repositories, chosen at random, are audited after each run that succeeded; 0: none.",
  },
};
