/** Lets a test take the store away: something that runs, and may throw, before each call. `name` is the method's. */
import type { CheckpointStore } from "./store.ts";

export type BeforeCall = (name: string) => void | Promise<void>;

/** The same store; each method first awaits `beforeCall`, and does nothing where that rejects. */
export function withBeforeCall(store: CheckpointStore, beforeCall: BeforeCall): CheckpointStore {
  return new Proxy(store, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function" || typeof name !== "string") return method;
      return async (...args: unknown[]): Promise<unknown> => {
        await beforeCall(name);
        return Reflect.apply(method, target, args);
      };
    },
  });
}
