/** The sink of this deployment. The one line that names it. */
export { openSink } from "@firehose-backfill/sink-postgres/open-sink";
