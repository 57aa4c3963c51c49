/**
 * A check is a pure function over what the program registered: it answers with what is wrong, or with nothing. The same
 * functions judge the real program and the broken ones, so that none of them can be one that never fails.
 */
import { isDeepStrictEqual } from "node:util";
import type { Registered, Stack } from "../stack.ts";

/** `own`: the stage has a topic of its own. */
export type AlarmTopicArn = "own" | `arn:${string}` | null;

/** What the settings of one synthesis ask for. */
export interface Expected {
  readonly stage: string;
  readonly isDev: boolean;
  readonly maxConcurrent: number;
  readonly isReserved: boolean;
  readonly maxMemoryMb: number;
  readonly isTraced: boolean;
  /** Where alarms go: a topic of the stage's own, one that was there, or nowhere. */
  readonly alarmTopicArn: AlarmTopicArn;
  readonly hasRegistry: boolean;
  readonly hasDashboard: boolean;
  /** Of consumer and control; null: they are in no VPC. */
  readonly network: { readonly subnetIds: readonly string[]; readonly securityGroupIds: readonly string[] } | null;
  /** The database user that consumer and control log in as; null: with a password. */
  readonly databaseUserArn: string | null;
  /** Set beside RELAY_URL, by name, as the functions shall see them. */
  readonly settings: Readonly<Record<string, string>>;
}

export const DEFAULTS: Expected = {
  stage: "test",
  isDev: false,
  maxConcurrent: 2,
  isReserved: true,
  maxMemoryMb: 512,
  isTraced: false,
  alarmTopicArn: null,
  hasRegistry: false,
  hasDashboard: true,
  network: null,
  databaseUserArn: null,
  settings: {},
};

export interface Check {
  readonly name: string;
  readonly run: (stack: Stack, expected: Expected) => readonly string[];
}

export function isProduction(expected: Expected): boolean {
  return expected.stage === "production";
}

/** BACKFILL_AUDIT_SAMPLE. */
export function hasScheduledAudit({ settings }: Expected): boolean {
  return Number(settings["BACKFILL_AUDIT_SAMPLE"] ?? 0) > 0;
}

/** Nothing when they are the same; one line that shows both when they are not. */
export function same(what: string, actual: unknown, expected: unknown): readonly string[] {
  if (isDeepStrictEqual(actual, expected)) return [];
  return [`${what}: ${JSON.stringify(actual)}, expected ${JSON.stringify(expected)}`];
}

/** Nothing when it holds. */
export function holds(what: string, condition: boolean): readonly string[] {
  return condition ? [] : [what];
}

export function json(resource: Registered, text: unknown): Record<string, unknown> {
  if (typeof text !== "string") throw new Error(`${resource.name} has no JSON where some was expected`);
  return JSON.parse(text) as Record<string, unknown>;
}
