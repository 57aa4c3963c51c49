/** Checks the relay: whether it can be reached and sends a frame. */
import type { Clock } from "@firehose-backfill/core/clock";
import { escapeForLog } from "@firehose-backfill/core/log-lines";
import { probeStream, type ProbeResult } from "@firehose-backfill/firehose/probe";
import { type Check, fail, ok, warn } from "./check.ts";
import type { Reading } from "./check-clock.ts";

const CONNECT_TIMEOUT_MS = 10_000;
const LISTEN_MS = 10_000;

export interface RelayOptions {
  /** null: the bundled sample. */
  readonly relayUrl: string | null;
  /** Why the sample would be refused; null: it may be replayed. */
  readonly unwishedSample: string | null;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  readonly listenMs?: number;
  readonly signal: AbortSignal;
}

export interface RelayCheck {
  readonly check: Check;
  readonly readings: readonly Reading[];
}

export async function checkRelay(options: RelayOptions): Promise<RelayCheck> {
  const { relayUrl, userAgent, clock, signal, listenMs = LISTEN_MS } = options;
  if (relayUrl === null && options.unwishedSample !== null)
    return { check: fail("relay", options.unwishedSample, "set RELAY_URL, then run doctor again"), readings: [] };
  if (relayUrl === null)
    return { check: ok("relay", "the bundled sample (set RELAY_URL for a real one)"), readings: [] };
  const beganMs = clock.now();
  const probe = { url: relayUrl, cursor: null, userAgent, clock, connectTimeoutMs: CONNECT_TIMEOUT_MS, listenMs };
  const result = await probeStream(probe, signal);
  const check = judge(relayUrl, result, clock.now() - beganMs);
  return { check, readings: check.verdict === "fail" ? [] : await dateOf(options, relayUrl) };
}

function judge(relayUrl: string, result: ProbeResult, tookMs: number): Check {
  switch (result.kind) {
    case "frame":
      return ok("relay", `${relayUrl} sent a frame after ${tookMs} ms, seq ${result.position.seq}`);
    case "silent":
      return warn("relay", `${relayUrl} accepts the connection, but sent no frame in ${tookMs} ms`, SILENT_ADVICE);
    case "error-frame":
      return fail("relay", `${relayUrl} says ${escapeForLog(`${result.error}: ${result.message}`)}`, HOST_ADVICE);
    case "failed":
      return fail("relay", `${relayUrl}: ${escapeForLog(result.detail)}`, adviceOn(result.status));
    default: {
      const unreachable: never = result;
      return unreachable;
    }
  }
}

const SILENT_ADVICE = "a small host may have nothing to send at this moment; a relay of the whole network always has";
const HOST_ADVICE = "check RELAY_URL: it names the host of a firehose, such as wss://bsky.network";

function adviceOn(status: number | undefined): string {
  if (status === 429)
    return "this machine connects too often: wait, and set BACKFILL_CONTACT so that the operator of the relay can write to you";
  return status === undefined ? "check the name, the network, and a proxy or firewall in between" : HOST_ADVICE;
}

/** From the Date header, which every web server sends; accurate to a second. */
async function dateOf(options: RelayOptions, relayUrl: string): Promise<readonly Reading[]> {
  const beganMs = options.clock.now();
  try {
    const url = relayUrl.replace(/^ws/, "http");
    const response = await options.fetch(url, {
      method: "HEAD",
      redirect: "manual",
      headers: { "user-agent": options.userAgent },
      signal: AbortSignal.any([options.signal, AbortSignal.timeout(CONNECT_TIMEOUT_MS)]),
    });
    const theirsMs = Date.parse(response.headers.get("date") ?? "");
    const endedMs = options.clock.now();
    if (Number.isNaN(theirsMs)) return [];
    return [{ name: "relay", theirsMs, oursMs: (beganMs + endedMs) / 2, toleranceMs: 1_000 + (endedMs - beganMs) / 2 }];
  } catch {
    // A host may serve only its stream. Then the clock is compared with another one, or not at all.
    return [];
  }
}
