/**
 * Runs several statements with parameters in one round trip: all are sent before the first answer, with one Sync at the end.
 * After the first error the server skips the rest, so a COMMIT at the end commits everything or nothing.
 * The driver itself sends one statement and waits; this passes it a query object of our own (its `Submittable`).
 */
import type { ClientBase, Connection, Submittable } from "@neondatabase/serverless";
import type { PreparedNames } from "./prepared-names.ts";
import { fromDriver } from "./sink-error.ts";
import { type Value, type WireStatement, writeRoundTrip } from "./wire.ts";

export interface Statement {
  readonly sql: string;
  /** Texts, of which Postgres infers the types, and lists, for which the statement says `$1::text[]`. */
  readonly values?: readonly Value[];
  /** One of the few statements that every batch has: the server keeps its plan, where that is possible. */
  readonly isPrepared?: boolean;
  /** Stop after this many rows. 0: all. */
  readonly maxRows?: number;
  /** Parse, bind and describe the statement, but do not run it. */
  readonly describeOnly?: boolean;
}

export interface StatementResult {
  /** Values in the server's text format; null is null. */
  readonly rows: readonly (readonly (string | null)[])[];
  /** The number of rows in the command tag (`INSERT 0 5`). */
  readonly count: number;
}

/**
 * @throws StatementError if the server refuses one of them, SinkError (`service`) if the connection is lost
 */
export async function runPipeline(
  client: ClientBase,
  statements: readonly Statement[],
  names: PreparedNames,
): Promise<readonly StatementResult[]> {
  const pipeline = new Pipeline(statements, names);
  client.query(pipeline);
  try {
    const results = await pipeline.results;
    names.wereParsed(statements);
    return results;
  } catch (error) {
    throw names.explain(error);
  }
}

class Pipeline implements Submittable {
  readonly results: Promise<readonly StatementResult[]>;
  readonly #messages: Uint8Array;
  readonly #answer = Promise.withResolvers<readonly StatementResult[]>();
  readonly #done: StatementResult[] = [];
  #rows: (string | null)[][] = [];

  constructor(statements: readonly Statement[], names: PreparedNames) {
    this.#messages = writeRoundTrip(statements.map((statement) => toWire(statement, names)));
    this.results = this.#answer.promise;
  }

  submit(connection: Connection): void {
    connection.stream.write(this.#messages);
  }

  /** The names of the columns, and the numbers of their types. */
  handleRowDescription(message: {
    readonly fields: readonly { readonly name: string; readonly dataTypeID?: number }[];
  }): void {
    const { fields } = message;
    const types = fields.map(({ dataTypeID }) => (dataTypeID === undefined ? null : String(dataTypeID)));
    this.#done.push({ rows: [fields.map(({ name }) => name), types], count: fields.length });
  }

  handleDataRow(message: { readonly fields: (string | null)[] }): void {
    this.#rows.push(message.fields);
  }

  handleCommandComplete(message: { readonly text: string }): void {
    this.#finish(Number(/\d+$/.exec(message.text)?.[0] ?? 0));
  }

  handlePortalSuspended(): void {
    this.#finish(this.#rows.length);
  }

  handleEmptyQuery(): void {
    this.#finish(0);
  }

  handleCopyInResponse(connection: Connection & { sendCopyFail(reason: string): void }): void {
    connection.sendCopyFail("COPY is not used here");
  }

  handleCopyData(): void {}

  handleError(error: unknown): void {
    this.#answer.reject(fromDriver(error));
  }

  handleReadyForQuery(): void {
    this.#answer.resolve(this.#done);
  }

  #finish(count: number): void {
    this.#done.push({ rows: this.#rows, count });
    this.#rows = [];
  }
}

function toWire(statement: Statement, names: PreparedNames): WireStatement {
  const { sql, values = [], maxRows = 0, describeOnly = false } = statement;
  // Described only on request: no caller needs names or types of columns.
  return { sql, values, maxRows, describeOnly, ...names.of(statement) };
}
