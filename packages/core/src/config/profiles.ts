/** The three profiles. A single setting overrides the value of its profile. */
import type { ProfileName, ThrottleSettings } from "./settings.ts";

export type ProfileSettings = Omit<ThrottleSettings, "memoryCheckInterval">;

export const PROFILES: Readonly<Record<ProfileName, ProfileSettings>> = {
  /** 2.5 events/s: beside a production workload, without noticeable load. */
  background: {
    batchSize: 5,
    batchDelayMs: 2_000,
    maxConcurrent: 2,
    maxMemoryMb: 512,
    useIdle: true,
    dbPoolSize: 2,
  },
  /** 20 events/s: in a time set apart for the run, with moderate resources. */
  moderate: {
    batchSize: 20,
    batchDelayMs: 1_000,
    maxConcurrent: 5,
    maxMemoryMb: 1_024,
    useIdle: true,
    dbPoolSize: 2,
  },
  /** 100 events/s: for a large server that somebody watches. */
  fast: {
    batchSize: 50,
    batchDelayMs: 500,
    maxConcurrent: 10,
    maxMemoryMb: 2_048,
    useIdle: false,
    dbPoolSize: 5,
  },
};
