/** There is nothing to look at before a run over handles. Apart from the kit, so that whoever only plans does not carry it. */
import { UsageError } from "@firehose-backfill/core/errors";
import type { SourceKit } from "@firehose-backfill/source/kit";

export const surveyHandles: SourceKit["survey"] = async () => {
  throw new UsageError(
    "plan: a run over handles needs no plan: each account in the database takes one request to the directory, and one event",
  );
};
