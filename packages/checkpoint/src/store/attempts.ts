/** Optimistic changes: read, decide, write on the condition that nothing has changed; if something has, try again. */
import { ContentionError } from "../errors.ts";

const MAX_ATTEMPTS = 30;

/** Calls `attempt` until it returns something other than "again". @throws ContentionError after 30 times */
export async function untilDone<T>(what: string, attempt: () => Promise<T | "again">): Promise<T> {
  for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts += 1) {
    const result = await attempt();
    if (result !== "again") return result;
  }
  throw new ContentionError(`${what}: others changed it at each of ${MAX_ATTEMPTS} attempts`);
}
