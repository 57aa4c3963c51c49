/**
 * Rows as parameters of a statement, in two forms that give the same rows: a list for each column, in which nothing is escaped; and one
 * JSON text, for rows with a NUL, which a list cannot hold. Postgres refuses the NUL then by the same code as ever (22P05). Pure.
 */

export type ListedRow = Readonly<Record<string, string | number | null>>;

/** The type of each column. */
type Columns = Readonly<Record<string, "text" | "bigint" | "double precision">>;

export interface TwoForms {
  readonly columns: readonly string[];
  readonly sqlOfLists: string;
  readonly sqlOfJson: string;
}

/** `first`: the number of the first parameter that holds rows. `toSql` gets the rows as `x`. */
export function inTwoForms(columns: Columns, first: number, toSql: (x: string) => string): TwoForms {
  const names = Object.keys(columns);
  const types = Object.entries(columns);
  const parameters = names.map((_, index) => `$${first + index}::text[]`);
  const selected = types.map(([name, type]) => (type === "text" ? name : `${name}::${type}`));
  const declared = types.map(([name, type]) => `${name} ${type}`);
  return {
    columns: names,
    sqlOfLists: toSql(
      `(SELECT ${selected.join(", ")} FROM unnest(${parameters.join(", ")}) AS u(${names.join(", ")})) AS x`,
    ),
    sqlOfJson: toSql(`json_to_recordset($${first}::json) AS x(${declared.join(", ")})`),
  };
}

/** null: a value has a NUL. A number that is none is missing, as in JSON. */
export function listsOf(
  rows: readonly ListedRow[],
  columns: readonly string[],
): readonly (readonly (string | null)[])[] | null {
  const lists: (string | null)[][] = [];
  for (const name of columns) {
    const list: (string | null)[] = [];
    for (const row of rows) {
      const value = row[name] ?? null;
      if (typeof value === "string" && value.indexOf("\0") >= 0) return null;
      list.push(typeof value === "number" ? numeral(value) : value);
    }
    lists.push(list);
  }
  return lists;
}

function numeral(value: number): string | null {
  return Number.isFinite(value) ? String(value) : null;
}
