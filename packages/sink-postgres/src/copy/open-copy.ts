/** The copy for somebody who compares it: one connection that reads, and one more where production's health is asked for. */
import type { Clock } from "@firehose-backfill/core/clock";
import type { CopyReader } from "@firehose-backfill/sink/copy-reader";
import { type DatabaseOptions, openDatabase, type Session } from "../connection.ts";
import { createHealthCheck } from "../health.ts";
import type { Statement, StatementResult } from "../pipeline.ts";
import { StatementError, toSinkError } from "../sink-error.ts";
import { openingOf, pictureOf } from "./repo-picture.ts";
import { countRepos, sampleRepos } from "./sample-repos.ts";

export interface CopyOptions extends Omit<DatabaseOptions, "poolSize"> {
  readonly clock: Clock;
  /** null: production's health is not asked for. */
  readonly throttleQuery: string | null;
}

const READ_ONLY: readonly Statement[] = [
  { sql: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" },
  { sql: "SET LOCAL statement_timeout = '30s'" },
];
const REPOS = `
  SELECT did FROM firehose.repos WHERE did > $1 AND rev IS NOT NULL ORDER BY did LIMIT $2::bigint`;

/** Connects when it is first asked. @throws DatabaseUrlError */
export function openCopy(options: CopyOptions): CopyReader {
  const { clock, throttleQuery } = options;
  const database = openDatabase({ ...options, poolSize: throttleQuery === null ? 1 : 2 });
  const reading = async <T>(
    opening: readonly Statement[],
    work: (session: Session, opened: readonly StatementResult[]) => Promise<T>,
  ): Promise<T> => {
    try {
      return await database.use(opening, async (session, opened) => {
        const result = await work(asSink(session), opened);
        await session.run([{ sql: "COMMIT" }]);
        return result;
      });
    } catch (error) {
      // What the caller's own work threw stays what it is.
      throw error instanceof StatementError ? toSinkError(error) : error;
    }
  };
  return {
    health: createHealthCheck({ database, clock, throttleQuery }),
    repos: (after, limit) =>
      reading([...READ_ONLY, { sql: REPOS, values: [after ?? "", String(limit)] }], async (_session, opened) =>
        (opened.at(-1)?.rows ?? []).map(([did]) => did ?? ""),
      ),
    countRepos: () => reading(READ_ONLY, countRepos),
    sampleRepos: (size, random) => reading(READ_ONLY, (session) => sampleRepos(session, size, random)),
    look: (did, use) => reading(openingOf(did), (session, opened) => use(pictureOf(session, did, opened))),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

/** Its errors are those of the port. */
function asSink(session: Session): Session {
  return {
    async run(statements) {
      try {
        return await session.run(statements);
      } catch (error) {
        throw toSinkError(error);
      }
    },
  };
}
