/** The entry of a consumer process. */
import { systemClock } from "@firehose-backfill/core/clock";
import { createSink } from "@firehose-backfill/sink/sink";
import { serveConsumer } from "./serve-consumer.ts";

serveConsumer({ clock: systemClock, random: Math.random, openSink: createSink });
