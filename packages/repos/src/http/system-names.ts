/** Resolves names with this machine's resolver. */
import { lookup } from "node:dns/promises";
import type { ResolveName } from "./guarded-lookup.ts";

export const systemNames: ResolveName = (hostname) => lookup(hostname, { all: true });
