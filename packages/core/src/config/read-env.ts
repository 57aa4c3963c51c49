/** Picks this program's variables out of an environment and the text of a `.env` file; the caller passes both. */
import { ConfigError } from "../errors.ts";
import { isOurs, parseDotEnv } from "./dot-env.ts";

/** Names to texts, unparsed. Unknown `BACKFILL_` names are included, so that parsing can refuse them. */
export type RawConfig = Readonly<Record<string, string>>;

/**
 * The real environment wins, even with an empty variable: `BACKFILL_DIDS= npm start` unsets one value of `.env` for one start.
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
