/** A Postgres for the tests of a file or a describe: started before them and stopped after them. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres } from "@firehose-backfill/embedded/postgres-server";
import { afterAll, beforeAll, beforeEach } from "vitest";
import type { PostgresSink } from "@firehose-backfill/sink-postgres/sink";
import { clearTables, createDatabase, testSink } from "./rows.ts";

export interface TestServer {
  /** The URL of its own database, `postgres`. */
  readonly databaseUrl: string;
  /** Holds its log. */
  readonly folder: string;
}

export interface TestSink {
  readonly server: TestServer;
  /** The URL of a database with our tables, empty before each test. */
  readonly databaseUrl: string;
  readonly sink: PostgresSink;
}

/** Its fields are available when the tests run. `binDir`: another Postgres than the embedded one. */
export function useServer(options: { readonly binDir?: string | undefined } = {}): TestServer {
  const stack = new AsyncDisposableStack();
  let started: TestServer | null = null;
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), "sink-"));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const { binDir } = options;
    const server = await startPostgres({
      dataDir: folder,
      throwaway: true,
      ...(binDir === undefined ? {} : { binDir }),
    });
    stack.use(server);
    started = { databaseUrl: server.databaseUrl, folder };
  });
  afterAll(() => stack[Symbol.asyncDispose]());
  return {
    get databaseUrl() {
      return there(started).databaseUrl;
    },
    get folder() {
      return there(started).folder;
    },
  };
}

/** Like useServer(), with a sink. */
export function useSink(options: { readonly poolSize: number; readonly binDir?: string | undefined }): TestSink {
  const server = useServer(options);
  let opened: { readonly databaseUrl: string; readonly sink: PostgresSink } | null = null;
  beforeAll(async () => {
    const databaseUrl = await createDatabase(server.databaseUrl);
    opened = { databaseUrl, sink: testSink(databaseUrl, { poolSize: options.poolSize }) };
  });
  // Hooks after the tests run in reverse order: the sink is closed before its server.
  afterAll(() => opened?.sink[Symbol.asyncDispose]());
  beforeEach(() => clearTables(there(opened).sink));
  return {
    server,
    get databaseUrl() {
      return there(opened).databaseUrl;
    },
    get sink() {
      return there(opened).sink;
    },
  };
}

function there<T>(value: T | null): T {
  if (value === null) throw new Error("asked for before the tests run");
  return value;
}
