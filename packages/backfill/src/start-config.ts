/** The configuration of a new run: the deployment's, with the start request on top; and what a request may not set. */
import type { Config } from "@firehose-backfill/core/config/settings";
import { UsageError } from "@firehose-backfill/core/errors";
import type { StartRequest } from "./control-event.ts";

export interface StartConfigDeps {
  /** The deployment's configuration with an event's settings on top. @throws ConfigError */
  readonly configure: (values: Readonly<Record<string, string>>) => Config;
  /** A RELAY_URL may come from a control event only where the configuration allows it. */
  readonly allowRelayFromEvent: boolean;
}

/** @throws ConfigError; UsageError where events may not choose the host that is connected to */
export function startConfig(deps: StartConfigDeps, request: StartRequest): Config {
  // Named either way.
  const isRelayNamed = request.relay !== undefined || request.settings?.["RELAY_URL"] !== undefined;
  if (isRelayNamed && !deps.allowRelayFromEvent)
    throw new UsageError("the relay comes from the setting RELAY_URL alone, never from an event");
  return deps.configure(settingsOf(request));
}

function settingsOf(request: StartRequest): Readonly<Record<string, string>> {
  const settings = Object.fromEntries(
    Object.entries(request.settings ?? {}).map(([name, value]) => [name, String(value)]),
  );
  return {
    ...settings,
    ...(request.days === undefined ? {} : { BACKFILL_DAYS: request.days }),
    ...(request.profile === undefined ? {} : { BACKFILL_PROFILE: request.profile }),
    ...(request.collections === undefined ? {} : { BACKFILL_COLLECTIONS: request.collections.join(",") }),
    ...(request.dids === undefined ? {} : { BACKFILL_DIDS: request.dids.join(",") }),
    ...(request.relay === undefined ? {} : { RELAY_URL: request.relay }),
    ...(request.source === undefined ? {} : { BACKFILL_SOURCE: request.source }),
  };
}
