/**
 * `npm run test:long` runs every case; `npm test` a spread of them, so that a newcomer waits minutes and not a quarter of an
 * hour. Both make the same assertions. Whole files that take long are named `*.slow.test.ts`.
 */
export const isLong = process.env["FIREHOSE_BACKFILL_TEST"] === "long";

/** All cases in the long run, these otherwise. */
export function spread<T>(all: readonly T[], short: readonly T[]): readonly T[] {
  return isLong ? all : short;
}
