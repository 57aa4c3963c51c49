/**
 * `npm run test:long` runs every case; `npm test` runs a selection, so that it takes minutes and not a quarter of an
 * hour. Both make the same assertions. Files that take long as a whole are named `*.slow.test.ts`.
 */
export const isLong = process.env["FIREHOSE_BACKFILL_TEST"] === "long";

/** All cases in the long run, otherwise these. */
export function spread<T>(all: readonly T[], short: readonly T[]): readonly T[] {
  return isLong ? all : short;
}
