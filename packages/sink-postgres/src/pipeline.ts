/**
 * Runs several statements with parameters in one round trip: all are sent before the first answer, with one Sync at the end.
 * After the first error the server skips the rest, so a COMMIT at the end commits everything or nothing.
 * The driver itself sends one statement and waits; this passes it a query object of our own (its `Submittable`).
 */
import type { ClientBase, Connection, Submittable } from "@neondatabase/serverless";
import { fromDriver } from "./sink-error.ts";

export interface Statement {
  readonly sql: string;
  /** Sent as text; Postgres infers the types. */
  readonly values?: readonly (string | null)[];
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
): Promise<readonly StatementResult[]> {
  const pipeline = new Pipeline(statements);
  client.query(pipeline);
  return pipeline.results;
}

class Pipeline implements Submittable {
  readonly results: Promise<readonly StatementResult[]>;
  readonly #statements: readonly Statement[];
  readonly #answer = Promise.withResolvers<readonly StatementResult[]>();
  readonly #done: StatementResult[] = [];
  #rows: (string | null)[][] = [];

  constructor(statements: readonly Statement[]) {
    this.#statements = statements;
    this.results = this.#answer.promise;
  }

  submit(connection: Connection): void {
    for (const { sql, values, maxRows, describeOnly } of this.#statements) {
      connection.parse({ name: "", text: sql, types: [] }, true);
      connection.bind({ values: [...(values ?? [])] }, true);
      // Described only on request: no caller needs names or types of columns.
      if (describeOnly === true) connection.describe({ type: "P" }, true);
      else connection.execute({ rows: String(maxRows ?? 0) }, true);
    }
    connection.sync();
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
