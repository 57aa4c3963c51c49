/** The clients of an environment: the table and the queues. Where they are, and with which rights, is the deploy's business. */
import type { Clock } from "@firehose-backfill/core/clock";
import { type Adapters, openAdapters } from "@firehose-backfill/server/adapters";
import type { DeployedConfig } from "./deployed-config.ts";

/**
 * A frozen environment is not told that its sockets are gone, and the first call on each of them gets no answer. The SDK
 * then tries twice more. Two such sockets of the table, one of the database (7 s, sink-postgres/connection.ts) and one of the
 * queue together are given up in 17 s; a network that answers nothing at all, in 24 s. The consumer has 30 s.
 */
const TABLE_LIMITS = { connectTimeoutMs: 2_000, requestTimeoutMs: 2_500 };
/** Above the second for which a redrive and a look into the dead-letter queue wait. */
const QUEUE_LIMITS = { connectTimeoutMs: 2_000, requestTimeoutMs: 5_000 };

/** An environment is frozen, and nobody closes what it has opened. */
export type Services = Pick<Adapters, "store" | "items" | "queue">;

export function openServices(
  { table, queueUrl, dlqUrl }: DeployedConfig,
  options: { readonly clock: Clock; readonly random: () => number },
): Services {
  const addresses = { table, tableEndpoint: null, queueUrl, dlqUrl, queueEndpoint: null };
  return openAdapters(addresses, {
    ...options,
    limits: { table: TABLE_LIMITS, queue: QUEUE_LIMITS },
    hasTtl: true,
  });
}
