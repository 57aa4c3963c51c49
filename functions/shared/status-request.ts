/** What a request to the function URL wants, by its path, and if the path does not say, by its Accept header. Pure. */

export interface PageRequest {
  readonly method: string;
  readonly path: string;
  /** "" if there is none. */
  readonly accept: string;
  /** `?run=`: an id or a name; null: none is named. */
  readonly run: string | null;
  /** `?range=`: the part of the history that the plots show. */
  readonly range: string | null;
}

export type Form = "html" | "json" | "text" | "history" | "report" | "runs" | "runs-page" | "past";

const BY_PATH: Readonly<Record<string, Form>> = {
  "/status.json": "json",
  "/status.txt": "text",
  "/history.json": "history",
  "/runs.json": "runs",
  "/runs": "runs-page",
  "/past.json": "past",
  "/report": "report",
};
export const PATHS: readonly string[] = ["/", ...Object.keys(BY_PATH)];
/** In this order: a browser accepts anything, but names the page first. */
const BY_TYPE: readonly (readonly [type: string, form: Form])[] = [
  ["text/html", "html"],
  ["application/json", "json"],
  ["text/plain", "text"],
];

/** null: it did not come through a function URL. */
export function readRequest(event: unknown): PageRequest | null {
  const http = field(field(event, "requestContext"), "http");
  const method = field(http, "method");
  const path = field(event, "rawPath");
  if (typeof method !== "string" || typeof path !== "string") return null;
  // Lambda writes header names in lower case.
  const accept = field(field(event, "headers"), "accept");
  const query = field(event, "rawQueryString");
  const search = new URLSearchParams(typeof query === "string" ? query : "");
  const [run, range] = [search.get("run"), search.get("range")];
  return { method, path, accept: typeof accept === "string" ? accept : "", run, range };
}

/** null: there is nothing at this path. */
export function chooseForm({ path, accept }: PageRequest): Form | null {
  const byPath = BY_PATH[path];
  if (byPath !== undefined) return byPath;
  if (path !== "/") return null;
  return BY_TYPE.find(([type]) => accept.includes(type))?.[1] ?? "html";
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}
