/** The sink of this deployment. Only this line names it. */
export { openSink } from "@firehose-backfill/sink-postgres/open-sink";
