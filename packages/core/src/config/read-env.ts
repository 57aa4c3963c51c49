/** Picks this program's variables out of an environment and the text of a `.env` file. Reads neither: both are handed in. */
import { ConfigError } from "../errors.ts";
import { isOurs, parseDotEnv } from "./dot-env.ts";

/** Names to texts, as they were found. Unknown `BACKFILL_` names are in it, so that parsing can refuse them. */
export type RawConfig = Readonly<Record<string, string>>;

/**
 * The real environment wins, an empty variable too: `BACKFILL_DIDS= npm start` is how one value of `.env` is unset for once.
 * @throws ConfigError with every line of the file that is not understood
 */
export function readEnv(env: Readonly<Record<string, string | undefined>>, dotEnvText?: string): RawConfig {
  const { values: fromFile, problems } = parseDotEnv(dotEnvText ?? "", env);
  if (problems.length > 0) throw new ConfigError(problems);
  const raw: Record<string, string> = {};
  for (const [name, value] of [...fromFile, ...Object.entries(env)]) {
    if (value !== undefined && isOurs(name)) raw[name] = value;
  }
  return raw;
}
