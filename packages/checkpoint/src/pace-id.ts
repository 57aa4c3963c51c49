/** The id of the pace of a database. */
import { shorten } from "./bounds.ts";
import { DEFAULT_PACE_ID } from "./pace.ts";

const MAX_ID_CHARS = 64;

/** @param databaseId undefined: not known */
export function paceIdOf(databaseId: string | undefined): string {
  return databaseId === undefined ? DEFAULT_PACE_ID : shorten(databaseId, MAX_ID_CHARS);
}
