/** The entry of a consumer process. */
import { systemClock } from "@firehose-backfill/core/clock";
import { openSink } from "./open-sink.ts";
import { serveConsumer } from "./serve-consumer.ts";

serveConsumer({ clock: systemClock, random: Math.random, openSink });
