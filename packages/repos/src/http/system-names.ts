/** Resolves names with this machine's resolver. */
import { lookup, Resolver } from "node:dns/promises";
import type { ResolveTexts } from "../handles/ask-domain.ts";
import type { ResolveName } from "./guarded-lookup.ts";

export const systemNames: ResolveName = (hostname) => lookup(hostname, { all: true });

/** A domain whose name servers do not answer is asked in another way. */
const TEXTS_TIMEOUT_MS = 2_000;

export const systemTexts: ResolveTexts = (name) =>
  new Resolver({ timeout: TEXTS_TIMEOUT_MS, tries: 1 }).resolveTxt(name);
