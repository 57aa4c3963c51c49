/** A deliberate fault in what a stage registers, and what has to refuse it. */
import type { Patchable } from "../patches.ts";

export interface Fault {
  /** The rule's name, or THE_MODEL. */
  readonly rule: string;
  readonly fault: string;
  readonly apply: (it: Patchable) => void;
  /** A part of what is said, so that no other fault can be what was found. */
  readonly says: string;
}

export function fault(rule: string, title: string, says: string, apply: (it: Patchable) => void): Fault {
  return { rule, fault: title, says, apply };
}

/** One value of one resource is another. */
export function set(
  rule: string,
  title: string,
  says: string,
  [name, ...path]: readonly [string, ...(string | number)[]],
  value: unknown,
): Fault {
  return fault(rule, title, says, (it) => it.set(name, path, value));
}
