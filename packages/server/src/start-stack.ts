/** The services of a local run: each one that a setting gives is used as it is, each other one is started embedded. */
import type { Settings } from "@firehose-backfill/core/config/settings";
import { ConfigError } from "@firehose-backfill/core/errors";
import { type EmbeddedStack, type StandIn, startEmbedded } from "@firehose-backfill/embedded/stack";
import type { Addresses } from "./adapters.ts";

export interface Stack extends AsyncDisposable {
  readonly addresses: Addresses;
  /** null: RELAY_URL is given. */
  readonly sampleRelayUrl: string | null;
  readonly pids: EmbeddedStack["pids"];
  /** Resolves when a stand-in's process has ended. */
  readonly exited: Promise<StandIn>;
}

/** Repositories and handles are read without one. */
export function readsRelay(source: string): boolean {
  return source !== "repos" && source !== "handles";
}

/** @throws ConfigError, StandInError */
export async function startStack(
  dataDir: string,
  settings: Pick<Settings, "queueUrl" | "dlqUrl" | "table" | "databaseUrl" | "relayUrl" | "source"> & {
    /** Left out: the configuration decides. */
    readonly readsRelay?: boolean;
  },
  signal: AbortSignal,
): Promise<Stack> {
  const { readsRelay: needsRelay = readsRelay(settings.source) } = settings;
  const { queueUrl, dlqUrl, table, databaseUrl, relayUrl } = settings;
  if ((queueUrl === null) !== (dlqUrl === null))
    throw new ConfigError(["only one of BACKFILL_QUEUE_URL and BACKFILL_DLQ_URL is set: set both, or neither"]);
  const stack = await startEmbedded({
    dataDir,
    need: {
      queue: queueUrl === null,
      table: table === null,
      postgres: databaseUrl === null,
      relay: relayUrl === null && needsRelay,
    },
    signal,
  });
  return {
    addresses: {
      queueUrl: queueUrl ?? stack.queue?.queueUrl ?? "",
      dlqUrl: dlqUrl ?? stack.queue?.dlqUrl ?? "",
      queueEndpoint: stack.queue?.endpoint ?? null,
      table: table ?? stack.table?.table ?? "",
      tableEndpoint: stack.table?.endpoint ?? null,
      databaseUrl: databaseUrl ?? stack.postgres?.databaseUrl ?? "",
    },
    sampleRelayUrl: stack.relay?.url ?? null,
    pids: stack.pids,
    exited: stack.exited,
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}
