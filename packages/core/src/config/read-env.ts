/** Picks this program's variables out of an environment and the text of a `.env` file. Reads neither: both are handed in. */
import { parseEnv } from "node:util";
import { definitionNamed } from "./definitions.ts";

/** Names to texts, as they were found. Unknown `BACKFILL_` names are in it, so that parsing can refuse them. */
export type RawConfig = Readonly<Record<string, string>>;

/**
 * The real environment wins, an empty variable too: `BACKFILL_DIDS= npm start` is how one value of `.env` is unset for once.
 */
export function readEnv(env: Readonly<Record<string, string | undefined>>, dotEnvText?: string): RawConfig {
  const fromFile = dotEnvText === undefined ? {} : parseEnv(dotEnvText);
  const raw: Record<string, string> = {};
  for (const [name, value] of [...Object.entries(fromFile), ...Object.entries(env)]) {
    if (value !== undefined && isOurs(name)) raw[name] = value;
  }
  return raw;
}

function isOurs(name: string): boolean {
  return name.startsWith("BACKFILL_") || definitionNamed(name) !== null;
}
