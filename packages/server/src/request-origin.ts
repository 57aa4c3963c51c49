/**
 * Whether a request comes from our own page or from a program, and not from another site's page: a browser must not become
 * somebody else's remote control. Pure. A browser says both where a request comes from and how it was made, and a page
 * cannot write either header itself.
 */
export interface RequestOrigin {
  readonly method: string | undefined;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  readonly fetchMode: string | undefined;
}

/** null: go on. */
export function whyForeign({ method, host, origin, fetchSite, fetchMode }: RequestOrigin): string | null {
  // `null` is what a sandboxed frame of anybody's page sends. Our own forms send our origin: the page's referrer policy lets them.
  if (origin !== undefined && origin.toLowerCase() !== `http://${host}`.toLowerCase()) return REFUSED;
  if (fetchSite === undefined || fetchSite === "same-origin" || fetchSite === "none") return null;
  // A link to the page, from wherever, is followed; another port of this machine is another origin, too.
  const isLink = (method === "GET" || method === "HEAD") && fetchMode === "navigate";
  return isLink ? null : REFUSED;
}

const REFUSED = "requests from other origins are refused";
