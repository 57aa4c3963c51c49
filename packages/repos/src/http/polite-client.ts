/**
 * Sends requests to many hosts and limits, for each, the requests at once and the requests a second. If a host has asked us to wait, the
 * caller gets an error that says until when, and can go on with other hosts.
 */
import type { Clock } from "@firehose-backfill/core/clock";
import { type EndpointRules, parseEndpoint } from "./endpoint.ts";
import type { ResolveName } from "./guarded-lookup.ts";
import { afterRequest, type HostState, NEW_HOST, type Outcome, readyAtMs, takeTurn } from "./host-state.ts";
import { ForbiddenAddressError, HostError, HostWaitingError } from "./http-errors.ts";
import { createLines } from "./lines.ts";
import { type HttpAnswer, openAgents, type RequestLimits, sendGet, type SendGet } from "./request.ts";

/** Where the states of hosts are kept between requests. */
export interface HostStates {
  get(host: string): HostState | undefined;
  set(host: string, state: HostState): void;
}

export interface PoliteClientOptions {
  readonly clock: Clock;
  /** Returns 0 to 1. */
  readonly random: () => number;
  readonly resolveName: ResolveName;
  readonly userAgent: string;
  readonly rules: EndpointRules;
  readonly requestsPerSecond: number;
  /** Requests to one host at the same time. Default: one. */
  readonly connectionsPerHost?: number;
  readonly states: HostStates;
  /** If the host may be asked within this time, the request waits; otherwise it rejects with HostWaitingError. */
  readonly maxWaitMs: number;
  /** Default: over a socket. */
  readonly send?: SendGet | undefined;
}

export interface PoliteGet {
  /** `https://host`. */
  readonly origin: string;
  readonly path: string;
  readonly accept: string;
  readonly limits: RequestLimits;
}

export interface PoliteClient {
  /**
   * Passes the answer to `use`; the host's next request is sent when `use` has settled. 429 and 5xx (but 501) never reach `use`.
   * @throws ForbiddenAddressError, HostWaitingError, HostError, ResponseTooLargeError, and what `use` throws
   */
  get<T>(request: PoliteGet, signal: AbortSignal, use: (answer: HttpAnswer) => Promise<T>): Promise<T>;
  /** Closes all connections. */
  [Symbol.dispose](): void;
}

/** Hosts whose last trouble is kept for the message; it decides nothing. */
const MAX_TROUBLES = 500;

export function createPoliteClient(options: PoliteClientOptions): PoliteClient {
  const { clock, random, rules, requestsPerSecond, states, maxWaitMs, send: sendOver = sendGet } = options;
  const agents = openAgents(options.connectionsPerHost);
  const lines = createLines(options.connectionsPerHost ?? 1);
  const context = { ...options, agents };

  const troubles = new Map<string, HostError>();
  const noteTrouble = (host: string, error: HostError): void => {
    troubles.delete(host);
    troubles.set(host, error);
    const [oldest] = troubles.keys();
    if (troubles.size > MAX_TROUBLES && oldest !== undefined) troubles.delete(oldest);
  };
  const note = (host: string, outcome: Outcome): void => {
    if (outcome.kind === "answered") troubles.delete(host);
    states.set(host, afterRequest(states.get(host) ?? NEW_HOST, outcome, clock.now(), random()));
  };
  const awaitTurn = async (host: string, signal: AbortSignal): Promise<void> => {
    const state = states.get(host) ?? NEW_HOST;
    const readyMs = readyAtMs(state);
    const nowMs = clock.now();
    if (readyMs - nowMs > maxWaitMs) throw new HostWaitingError(host, readyMs, { cause: troubles.get(host) });
    const turn = takeTurn({ ...state, nextAtMs: readyMs }, nowMs, requestsPerSecond);
    states.set(host, turn.state);
    if (turn.atMs > nowMs) await clock.sleep(turn.atMs - nowMs, signal);
    if (signal.aborted) throw new HostError("unreachable", "stopped before the request was sent");
  };

  return {
    async get({ origin, path, accept, limits }, signal, use) {
      const endpoint = parseEndpoint(origin, rules);
      if (typeof endpoint === "string") throw new ForbiddenAddressError(endpoint);
      const { host } = endpoint;
      const send = async () => {
        await awaitTurn(host, signal);
        const askedMs = clock.now();
        let isAnswered = false;
        try {
          return await sendOver({ endpoint, path, accept }, limits, context, signal, async (answer) => {
            const { status, header } = answer;
            const answerMs = clock.now() - askedMs;
            if (status === 429) {
              isAnswered = true;
              note(host, { kind: "rate-limited", header });
              throw new HostError("rate-limited", `${host} asks us to wait (HTTP 429)`);
            }
            if (status >= 500 && status !== 501) throw new HostError("bad-answer", `${host} answered HTTP ${status}`);
            const result = await use(answer);
            isAnswered = true;
            note(host, { kind: "answered", header, answerMs });
            return result;
          });
        } catch (error) {
          // If we stopped the request, or if `use` rejected the content, it does not count as a failure of the host.
          if (error instanceof HostError && !signal.aborted) noteTrouble(host, error);
          if (!isAnswered && error instanceof HostError) note(host, { kind: signal.aborted ? "stopped" : "failed" });
          throw error;
        }
      };
      return await lines.run(host, send);
    },
    [Symbol.dispose]() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}
