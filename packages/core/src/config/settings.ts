/**
 * The shape of a parsed configuration. Each environment variable corresponds to one key here (see definitions.ts);
 * nothing outside core/config reads the environment.
 */
export const PROFILE_NAMES = ["background", "moderate", "fast"] as const;
export type ProfileName = (typeof PROFILE_NAMES)[number];

export const VERIFY_LEVELS = ["structure", "hash", "chain", "signature", "inversion"] as const;
export type VerifyLevel = (typeof VERIFY_LEVELS)[number];

/** Whether a level includes another one: each includes those before it. */
export function includesLevel(level: VerifyLevel, wanted: VerifyLevel): boolean {
  return rank(level) >= rank(wanted);
}

/** Its place in VERIFY_LEVELS. It is asked several times for each frame, and indexOf() is slow there. */
function rank(level: VerifyLevel): number {
  switch (level) {
    case "structure":
      return 0;
    case "hash":
      return 1;
    case "chain":
      return 2;
    case "signature":
      return 3;
    case "inversion":
      return 4;
    default: {
      const unreachable: never = level;
      return unreachable;
    }
  }
}

/** `both`: a run of relay and repos each. `handles`: handles of accounts that the database has. */
export const SOURCE_KINDS = ["relay", "repos", "both", "handles"] as const;
export type SourceKind = (typeof SOURCE_KINDS)[number];

/** What BACKFILL_OFF_PEAK changes inside its window. Memory and connections are limits of the deployment and stay as they are. */
export interface PaceSettings {
  readonly batchSize: number;
  readonly batchDelayMs: number;
  readonly maxConcurrent: number;
}

/** What `tune` may change while a run is running. */
export interface ThrottleSettings extends PaceSettings {
  readonly maxMemoryMb: number;
  readonly useIdle: boolean;
  readonly dbPoolSize: number;
  readonly memoryCheckInterval: number;
}

/** What a run reads; it cannot change until the run is finished. */
export interface ScopeSettings {
  /** Of a run `relay`, `repos` or `handles`; `both` begins one of each. Left out: the run began before there was a choice, and reads a relay. */
  readonly source?: SourceKind;
  /** null: the bundled sample relay (local only). With `repos`: the hosts that list repositories, several separated by commas. */
  readonly relayUrl: string | null;
  /** How far back by event time. 0: do not run. -1: everything that the source keeps. */
  readonly days: number;
  /** Empty: all. NSIDs, or prefixes that end in `.*`. */
  readonly collections: readonly string[];
  /** Empty: all. */
  readonly dids: readonly string[];
  readonly verify: VerifyLevel;
}

/** Settings of the deployment, not of the run. */
export interface DeploymentSettings {
  /** null: the embedded Postgres. */
  readonly databaseUrl: string | null;
  readonly throttleQuery: string | null;
  readonly offPeak: OffPeak | null;
  /** Repositories that are audited after each run that succeeded. */
  readonly auditSample: number;
  readonly contact: string | null;
  /** The directory of did:plc accounts. */
  readonly plcUrl: string;
  /** Requests a second to one host of repositories, and for handles to the directory. */
  readonly hostRate: number;
  /** Handles are looked up, by a run of their own beside each start. */
  readonly handles: boolean;
  readonly alarmEmail: string | null;
  readonly alarmTopicArn: string | null;
  /** A webhook of Slack, Discord or one's own. null: nobody is told. */
  readonly notifyUrl: string | null;
  readonly reserveConcurrency: boolean;
  readonly dashboard: boolean;
  /** Where consumer and control are, to reach a database that only this network reaches. Empty: in no VPC. */
  readonly vpcSubnets: readonly string[];
  readonly vpcSecurityGroups: readonly string[];
  /** Certificates in PEM that a deployed function verifies the database with. null: as DATABASE_URL says. */
  readonly databaseCa: string | null;
  /** The database user that the functions log in as, with a token of IAM in the place of a password. */
  readonly databaseUserArn: string | null;
  readonly dataDir: string;
  readonly port: number;
  /** null: the embedded queue. */
  readonly queueUrl: string | null;
  readonly dlqUrl: string | null;
  /** null: the embedded table. */
  readonly table: string | null;
}

/** `22:00-06:00 Europe/Berlin fast` */
export interface OffPeak {
  /** Minutes after midnight, local to `timeZone`. */
  readonly fromMinute: number;
  readonly toMinute: number;
  readonly timeZone: string;
  readonly profile: ProfileName;
}

export interface Settings extends ThrottleSettings, ScopeSettings, DeploymentSettings {
  readonly profile: ProfileName;
  readonly source: SourceKind;
}

export type SettingKey = keyof Settings;

/** Where a value came from; shown in status. */
export type SettingSource = "default" | "profile" | "environment" | "flag" | "event" | "run" | "tune" | "off-peak";

export interface Config {
  readonly settings: Settings;
  readonly sources: Readonly<Record<SettingKey, SettingSource>>;
}
