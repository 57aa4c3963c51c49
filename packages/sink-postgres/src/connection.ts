/**
 * The connections of one process: a pool that never grows above its size, whatever asks for one, and that no stopped
 * server, cut line or frozen peer can bring down. Everything of this package that talks to Postgres goes through here.
 */
import { Client, Pool, type PoolClient, type WebSocketConstructor } from "@neondatabase/serverless";
import { createLimiter } from "@firehose-backfill/throttle/limiter";
import { untilAborted } from "@firehose-backfill/core/until-aborted";
import { clientConfig, clientFor } from "./client.ts";
import { type DatabaseTarget, parseDatabaseUrl } from "./database-url.ts";
import { type IamLogin, iamPassword } from "./iam-login.ts";
import { runPipeline, type Statement, type StatementResult } from "./pipeline.ts";
import { createPreparedNames, isUnprepared, type PreparedNames } from "./prepared-names.ts";
import { fromDriver, PostgresError, StatementError } from "./sink-error.ts";

export interface DatabaseOptions {
  readonly databaseUrl: string;
  /** Connections at most, everything included: 1 to 50. A function: it may move while the pool is open. */
  readonly poolSize: number | (() => number);
  /** Log in with tokens of IAM; left out: with the password of the URL. */
  readonly iam?: IamLogin | undefined;
  /** For hosts of Neon; Node's own WebSocket when it is left out. */
  readonly webSocket?: WebSocketConstructor | undefined;
  readonly connectTimeoutMs?: number | undefined;
  /** After so long unused a connection is closed, so that a database that sleeps can sleep. */
  readonly idleTimeoutMs?: number | undefined;
  /** A round trip without an answer for so long: the connection is given up. Above every statement time-out in use. */
  readonly roundTripTimeoutMs?: number | undefined;
  /** Aborted: what is open is cut off, and whatever waits rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** All round trips of one use together; left out: each has the limit above for itself. */
  readonly useTimeoutMs?: number | undefined;
  /** The first answer on a connection that was used before, which may have died without a word. Above every lock time-out in use. */
  readonly firstAnswerMs?: number | undefined;
  /** Called for connections that failed while they were idle. */
  readonly log?: ((line: string) => void) | undefined;
}

export interface Session {
  /** All statements in one round trip. @throws StatementError, SinkError (`service`) */
  run(statements: readonly Statement[]): Promise<readonly StatementResult[]>;
}

export interface Database {
  readonly target: DatabaseTarget;
  /**
   * Takes a connection, sends `opening` and hands both to `work`. A connection that turns out dead at its first round
   * trip is replaced, once for each that lay idle: nothing has been done on it. If one gives no answer at all, those that
   * lay idle beside it are replaced untried. One on which `work` throws is closed: its state is not known.
   * @throws SinkError (`service`) when none can be had, and whatever `opening` or `work` throws
   */
  use<T>(
    opening: readonly Statement[],
    work: (session: Session, opened: readonly StatementResult[]) => Promise<T>,
  ): Promise<T>;
  /** `used`: connections open now. */
  pool(): { readonly used: number; readonly size: number };
  [Symbol.asyncDispose](): Promise<void>;
}

/** What the pool gives out: the driver's types forget that it is one of its clients. */
type PooledClient = Client & PoolClient;

const MAX_POOL_SIZE = 50;
const CONNECT_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 10_000;
const ROUND_TRIP_TIMEOUT_MS = 60_000;
/** A process that is frozen or sleeps is not told that its connections are gone: without this limit it would wait for a round trip's. */
const FIRST_ANSWER_MS = 7_000;
const CLOSE_TIMEOUT_MS = 2000;

/** Connects to nothing yet. @throws DatabaseUrlError */
export function openDatabase(options: DatabaseOptions): Database {
  const target = parseDatabaseUrl(options.databaseUrl);
  const clientOptions = {
    target,
    connectTimeoutMs: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    webSocket: options.webSocket,
    password: options.iam === undefined ? undefined : iamPassword(target, options.iam),
  };
  const pool = new Pool({
    ...clientConfig(clientOptions),
    // The limiter below decides; this is only the most that it may ever be.
    max: MAX_POOL_SIZE,
    idleTimeoutMillis: options.idleTimeoutMs ?? IDLE_TIMEOUT_MS,
    allowExitOnIdle: true,
  });
  pool.Client = clientFor(clientOptions);
  pool.on("error", (error: unknown) => options.log?.(`an idle connection failed: ${fromDriver(error).message}`));
  const roundTripTimeoutMs = options.roundTripTimeoutMs ?? ROUND_TRIP_TIMEOUT_MS;
  const firstAnswerMs = options.firstAnswerMs ?? FIRST_ANSWER_MS;
  // The pool has a queue of its own, but one whose waiting counts as a connection time-out.
  const { poolSize } = options;
  const size = () => Math.min(MAX_POOL_SIZE, typeof poolSize === "number" ? poolSize : poolSize());
  const limiter = createLimiter(size);
  const known = new WeakMap<PooledClient, PreparedNames>();
  const namesOfConnection = createPreparedNames();
  const openOnes = countOpen(pool);
  const { signal } = options;
  signal?.addEventListener("abort", () => openOnes.cutOff(), { once: true });

  async function open(
    opening: readonly Statement[],
  ): Promise<readonly [PooledClient, Session, readonly StatementResult[]]> {
    let wasSilent = false;
    for (;;) {
      const client = await takeClient(pool);
      const usedNames = known.get(client);
      const used = usedNames !== undefined;
      const names = usedNames ?? namesOfConnection();
      known.set(client, names);
      if (used && wasSilent) {
        // A goodbye to a peer that is silent would be waited for.
        client.connection.stream.destroy();
        await openOnes.close(client);
        continue;
      }
      const session = sessionOn(client, { names, roundTripTimeoutMs, useTimeoutMs: options.useTimeoutMs ?? Infinity });
      const beganAt = performance.now();
      try {
        return [
          client,
          session,
          opening.length === 0 ? [] : await session.run(opening, used ? firstAnswerMs : Infinity),
        ];
      } catch (error) {
        await openOnes.close(client);
        // Nothing has been done, and it is not asked for a second time.
        if (isUnprepared(error)) continue;
        if (!(used && isLost(error))) throw error;
        wasSilent = performance.now() - beganAt >= firstAnswerMs;
      }
    }
  }

  async function useOne<T>(
    opening: readonly Statement[],
    work: (session: Session, opened: readonly StatementResult[]) => Promise<T>,
  ): Promise<T> {
    const [client, session, opened] = await open(opening);
    let unknownState = true;
    try {
      const result = await work(session, opened);
      unknownState = false;
      return result;
    } finally {
      // Above its size the pool shrinks with each use; what lies idle closes by itself.
      if (unknownState || openOnes.count() > size()) await openOnes.close(client);
      else client.release();
    }
  }

  return {
    target,
    use: (opening, work) => limiter.run(() => untilAborted(useOne(opening, work), signal)),
    pool: () => ({ used: openOnes.count(), size: size() }),
    async [Symbol.asyncDispose]() {
      const ended = pool.end();
      // A connection that is still being made would be waited for until its time-out.
      if (signal?.aborted === true) return void ended.catch(() => {});
      await ended;
      await openOnes.untilNone();
    },
  };
}

/** The pool forgets a connection when it begins to close it; the server counts it until it is closed. */
function countOpen(pool: Pool) {
  const open = new Map<PooledClient, Promise<void>>();
  pool.on("connect", (client: PooledClient) => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    open.set(client, closed);
    // Not the pool's "remove", which does not come for a connection that was dead before it was given back.
    client.once("end", () => {
      open.delete(client);
      resolve();
    });
  });
  return {
    count: () => open.size,
    cutOff: () => {
      for (const client of open.keys()) client.connection.stream.destroy();
    },
    untilNone: () => atMost(CLOSE_TIMEOUT_MS, Promise.all(open.values())),
    /** Another connection may be opened once this one is closed: until then the server counts it. */
    async close(client: PooledClient): Promise<void> {
      const closed = open.get(client);
      client.release(true);
      await atMost(CLOSE_TIMEOUT_MS, closed ?? Promise.resolve());
    },
  };
}

async function atMost(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(() => late.resolve(), timeoutMs);
  await Promise.race([work, late.promise]);
  clearTimeout(timer);
}

async function takeClient(pool: Pool): Promise<PooledClient> {
  try {
    const client = await pool.connect();
    if (!(client instanceof Client)) throw new TypeError("the pool made a client of another class");
    // While it is in use the pool does not listen, and an error event without a listener would end the process.
    // What was running on it hears of the error by itself.
    if (client.listenerCount("error") === 0) client.on("error", () => {});
    return client;
  } catch (error) {
    throw fromDriver(error);
  }
}

interface LimitedSession extends Session {
  run(statements: readonly Statement[], atMostMs?: number): Promise<readonly StatementResult[]>;
}

interface SessionOptions {
  readonly names: PreparedNames;
  readonly roundTripTimeoutMs: number;
  readonly useTimeoutMs: number;
}

function sessionOn(client: PooledClient, { names, roundTripTimeoutMs, useTimeoutMs }: SessionOptions): LimitedSession {
  // Real time, not the injected clock: it bounds I/O, not a decision.
  const beganAt = performance.now();
  return {
    async run(statements, atMostMs = Infinity) {
      const leftMs = useTimeoutMs - (performance.now() - beganAt);
      const timeoutMs = Math.max(1, Math.min(roundTripTimeoutMs, leftMs, atMostMs));
      const timer = setTimeout(() => client.connection.stream.destroy(), timeoutMs);
      try {
        return await runPipeline(client, statements, names);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/** The connection is gone, as against a server that answered. A server or a proxy that ends the session answers first. */
function isLost(error: unknown): boolean {
  if (error instanceof PostgresError) return error.sqlState === null;
  return error instanceof StatementError && (error.endsSession || error.sqlState.startsWith("57P"));
}
