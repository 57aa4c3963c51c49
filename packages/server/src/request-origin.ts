/**
 * Whether a request comes from our own page or from a program, and not from a page of another site, which must not be able to
 * control a run through the browser. Pure. A browser sends where a request comes from and how it was made, and a page
 * cannot set either header itself.
 */
export interface RequestOrigin {
  readonly method: string | undefined;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  readonly fetchMode: string | undefined;
}

/** null: accepted. */
export function whyForeign({ method, host, origin, fetchSite, fetchMode }: RequestOrigin): string | null {
  // A sandboxed frame of any page sends `null`. Our own forms send our origin, because of the page's referrer policy.
  if (origin !== undefined && origin.toLowerCase() !== `http://${host}`.toLowerCase()) return REFUSED;
  if (fetchSite === undefined || fetchSite === "same-origin" || fetchSite === "none") return null;
  // A link to the page from anywhere is allowed; another port of this machine is another origin.
  const isLink = (method === "GET" || method === "HEAD") && fetchMode === "navigate";
  return isLink ? null : REFUSED;
}

const REFUSED = "requests from other origins are refused";
