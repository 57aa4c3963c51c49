/** A repo client for servers on loopback, without a pace. */
import { systemClock } from "@firehose-backfill/core/clock";
import { hostTable } from "../http/host-table.ts";
import { createPoliteClient, type PoliteClient, type PoliteClientOptions } from "../http/polite-client.ts";
import { loopbackNames } from "./http-server.ts";

export function testClient(options: Partial<PoliteClientOptions> = {}): PoliteClient {
  return createPoliteClient({
    clock: systemClock,
    random: () => 0,
    resolveName: loopbackNames,
    userAgent: "test/1",
    rules: { allowLoopback: true },
    requestsPerSecond: 10_000,
    states: hostTable(100),
    maxWaitMs: 1_000,
    ...options,
  });
}
