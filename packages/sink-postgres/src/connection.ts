/**
 * The connections of one process: a pool that never has more connections than its size. It recovers from stopped servers, lost
 * connections and servers that do not answer. All of this package's access to Postgres uses it.
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
  /** The largest number of connections, 1 to 50. A function, because the number may change while the pool is open. */
  readonly poolSize: number | (() => number);
  /** Login with IAM tokens. Left out: with the password of the URL. */
  readonly iam?: IamLogin | undefined;
  /** The WebSocket for hosts of Neon. Default: Node's own. */
  readonly webSocket?: WebSocketConstructor | undefined;
  readonly connectTimeoutMs?: number | undefined;
  /** A connection that is unused for so long is closed, so that a serverless database can suspend. */
  readonly idleTimeoutMs?: number | undefined;
  /** A connection is given up if a round trip has no answer for so long. It must be longer than every statement timeout in use. */
  readonly roundTripTimeoutMs?: number | undefined;
  /** If it is aborted, open connections are closed, and everything that waits rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** The limit for all round trips of one use together. Left out: each round trip has its own limit, `roundTripTimeoutMs`. */
  readonly useTimeoutMs?: number | undefined;
  /**
   * The limit for the first answer on a connection that was used before, because the connection may be lost without an error.
   * It must be longer than every lock timeout in use.
   */
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
   * Takes a connection, sends `opening`, and passes the connection and the results to `work`. If an idle connection fails at
   * its first round trip, another one is used, because nothing has been done on it yet. If one gives no answer at all, all
   * other idle connections are replaced without trying them. If `work` throws, the connection is closed, because its state is
   * not known.
   * @throws SinkError (`service`) if there is no connection, and what `opening` or `work` throws
   */
  use<T>(
    opening: readonly Statement[],
    work: (session: Session, opened: readonly StatementResult[]) => Promise<T>,
  ): Promise<T>;
  /** `used`: the number of connections that are open now. */
  pool(): { readonly used: number; readonly size: number };
  [Symbol.asyncDispose](): Promise<void>;
}

/** A client of the pool. The driver's types do not say that it is one of its own clients. */
type PooledClient = Client & PoolClient;

const MAX_POOL_SIZE = 50;
const CONNECT_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 10_000;
const ROUND_TRIP_TIMEOUT_MS = 60_000;
/** A process that was frozen is not told that its connections are lost. Without this limit it would wait as long as for a round trip. */
const FIRST_ANSWER_MS = 7_000;
const CLOSE_TIMEOUT_MS = 2000;

/** Does not connect yet. @throws DatabaseUrlError */
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
    // The limiter below decides. This is only the highest possible value.
    max: MAX_POOL_SIZE,
    idleTimeoutMillis: options.idleTimeoutMs ?? IDLE_TIMEOUT_MS,
    allowExitOnIdle: true,
  });
  pool.Client = clientFor(clientOptions);
  pool.on("error", (error: unknown) => options.log?.(`an idle connection failed: ${fromDriver(error).message}`));
  const roundTripTimeoutMs = options.roundTripTimeoutMs ?? ROUND_TRIP_TIMEOUT_MS;
  const firstAnswerMs = options.firstAnswerMs ?? FIRST_ANSWER_MS;
  // The pool has its own queue, but time in that queue counts towards its connection timeout.
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
        // Without this, closing would wait for an answer of a server that does not answer.
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
      // While there are more connections than its size, the pool closes one after each use. Idle ones close by themselves.
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
      // Without this, the end would wait for a new connection until its timeout.
      if (signal?.aborted === true) return void ended.catch(() => {});
      await ended;
      await openOnes.untilNone();
    },
  };
}

/** The pool stops counting a connection when it begins to close it, but the server counts it until it is closed. */
function countOpen(pool: Pool) {
  const open = new Map<PooledClient, Promise<void>>();
  pool.on("connect", (client: PooledClient) => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    open.set(client, closed);
    // The pool's event "remove" is not used, because it does not occur for a connection that failed before it was returned.
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
    /** Another connection may be opened only after this one is closed, because the server counts it until then. */
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
    // While a connection is in use, the pool has no listener, and an error event without a listener would end the process. The
    // statement that was running gets the error itself.
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
  // It uses real time and not the injected clock, because it limits I/O and decides nothing.
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

/** Whether the connection is lost without an answer. A server or a proxy that ends a session sends an error first. */
function isLost(error: unknown): boolean {
  if (error instanceof PostgresError) return error.sqlState === null;
  return error instanceof StatementError && (error.endsSession || error.sqlState.startsWith("57P"));
}
