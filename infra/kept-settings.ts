/**
 * The settings of the last deploy, which keep-settings.ts keeps with the stage. A deploy from another machine may
 * lack an `.env.production`, and would silently drop what stood in it: an address for alarms, a list of accounts. So what was
 * set at the last deploy and is not set now stops the deploy, before anything is changed, unless it is dropped by name.
 */
import { createHash } from "node:crypto";
import { SETTINGS } from "../packages/core/src/config/definitions.ts";

export type Kept = Readonly<Record<string, string>>;

type Environment = Readonly<Record<string, string | undefined>>;

/** Names that may be dropped, separated by commas. No setting: it is meant for one deploy. */
export const DROPS = "DEPLOY_DROPS";

/** What belongs to the machine, not to the stage. */
const NOT_KEPT = new Set([
  "DATABASE_URL",
  "BACKFILL_DATA_DIR",
  "PORT",
  "BACKFILL_QUEUE_URL",
  "BACKFILL_DLQ_URL",
  "BACKFILL_TABLE",
]);

/** A file is kept as its hash: what it holds is in the bundle. */
export function settingsToKeep(env: Environment, readFile: (path: string) => string): Kept {
  const kept: Record<string, string> = {};
  for (const name of [...SETTINGS.map((setting) => setting.name), "LAMBDA_TRACING"]) {
    const value = env[name]?.trim() ?? "";
    if (value === "" || NOT_KEPT.has(name)) continue;
    const path = name === "BACKFILL_DATABASE_CA" ? value : value.startsWith("@") ? value.slice(1) : null;
    kept[name] =
      path === null ? value : `file ${createHash("sha256").update(readFile(path)).digest("hex").slice(0, 16)}`;
  }
  return kept;
}

/** Lines for the person who deploys. @throws Error where something would be dropped that was not named */
export function compareSettings(before: Kept, now: Kept, drops: string | undefined): readonly string[] {
  const wanted = new Set((drops ?? "").split(/[\s,]+/).filter((name) => name !== ""));
  const dropped = Object.entries(before).filter(([name]) => !(name in now));
  const silent = dropped.filter(([name]) => !wanted.has(name));
  if (silent.length > 0) {
    throw new Error(
      [
        `The last deploy of this stage had settings that this one lacks. Is its .env file on this machine?`,
        ...silent.map(([name, value]) => `  ${name}=${value}`),
        `Set them as they were or anew; or drop them by name: ${DROPS}=${silent.map(([name]) => name).join(",")}`,
      ].join("\n"),
    );
  }
  const surplus = [...wanted].filter((name) => !dropped.some(([each]) => each === name));
  if (surplus.length > 0)
    throw new Error(
      `${DROPS} names ${surplus.join(", ")}, but the last deploy did not set it, or this one sets it too.`,
    );
  return [
    ...dropped.map(([name, value]) => `${name}: was ${value}, is dropped`),
    ...Object.entries(now)
      .filter(([name, value]) => name in before && before[name] !== value)
      .map(([name, value]) => `${name}: was ${before[name]}, is ${value}`),
    ...Object.keys(now)
      .filter((name) => !(name in before))
      .map((name) => `${name}: was not set, is ${now[name]}`),
  ];
}
