/** The sink of this deployment. Only this line names it. */
export { openDesk, openSink } from "@firehose-backfill/sink-postgres/open-sink";
