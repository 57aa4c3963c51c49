/** Accounts whose handle is to be looked up, a page at a time. A connection is held for a page only. */
import type { HandleList } from "@firehose-backfill/sink/handle-list";
import { type DatabaseOptions, openDatabase } from "./connection.ts";
import { IS_TO_BE_LOOKED_UP } from "./schema/handles.ts";
import { toSinkError } from "./sink-error.ts";

/** An account without an answer is asked for again after a day. */
const NEXT = `
  SELECT did FROM firehose.repos
  WHERE did > $1 AND ${IS_TO_BE_LOOKED_UP}
    AND (handle_check IS NULL OR handle_seq <> 0 OR handle_at IS NULL OR handle_at < now() - interval '1 day')
    AND active IS DISTINCT FROM false
  ORDER BY did LIMIT $2::bigint`;

export function openHandleList(at: Omit<DatabaseOptions, "poolSize">): HandleList {
  return {
    async next(after, limit) {
      await using database = openDatabase({ ...at, poolSize: 1 });
      try {
        const [found] = await database.use([], (session) =>
          session.run([{ sql: NEXT, values: [after, String(limit)] }]),
        );
        return (found?.rows ?? []).map(([did]) => did ?? "");
      } catch (error) {
        throw toSinkError(error);
      }
    },
  };
}
