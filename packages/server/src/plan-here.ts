/** `plan` where this process can reach the relay itself: the adapters it needs, and a sample relay where there is no RELAY_URL. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StartRequest } from "@firehose-backfill/backfill/control-event";
import { makePlan } from "@firehose-backfill/backfill/plan/plan";
import type { Plan } from "@firehose-backfill/backfill/plan/types";
import type { Clock } from "@firehose-backfill/core/clock";
import type { Config } from "@firehose-backfill/core/config/settings";
import { VERSION } from "@firehose-backfill/core/version";
import { startSampleRelay } from "@firehose-backfill/embedded/relay-server";
import { userAgent } from "@firehose-backfill/firehose/user-agent";
import { systemNames } from "@firehose-backfill/repos/http/system-names";
import { openSurveyors } from "./open-sources.ts";
import { readsRelay } from "./start-stack.ts";

export interface PlanHereOptions {
  readonly config: Config;
  readonly request: Pick<StartRequest, "from" | "to">;
  /** The sample relay of this process, if one is running. null: one is started if it is needed, and stopped afterwards. */
  readonly sampleRelayUrl: string | null;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/** @throws UsageError; SurveyError if the relay cannot be read */
export async function planHere(options: PlanHereOptions): Promise<Plan> {
  const { config, request, clock, random, signal } = options;
  await using relay = await sampleRelay(options);
  const agent = userAgent({ version: VERSION, contact: config.settings.contact });
  const { plcUrl, hostRate } = config.settings;
  const hosts = { resolveName: systemNames, plcUrl, hostRate };
  const sources = openSurveyors({ ...hosts, clock, random, userAgent: agent, sampleRelayUrl: relay.url });
  return await makePlan({ clock, sources }, { config, request }, signal);
}

async function sampleRelay(options: PlanHereOptions): Promise<AsyncDisposable & { readonly url: string | null }> {
  const { config, sampleRelayUrl, signal } = options;
  if (config.settings.relayUrl !== null || sampleRelayUrl !== null || !readsRelay(config.settings.source))
    return { url: sampleRelayUrl, async [Symbol.asyncDispose]() {} };
  // It does not use the data folder, because the first start there decides the times of the recording, and that should be a
  // run.
  const dataDir = await mkdtemp(join(tmpdir(), "firehose-backfill-plan-"));
  const remove = () => rm(dataDir, { recursive: true, force: true });
  try {
    const relay = await startSampleRelay({ dataDir, signal });
    return {
      url: relay.url,
      async [Symbol.asyncDispose]() {
        await relay[Symbol.asyncDispose]();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
