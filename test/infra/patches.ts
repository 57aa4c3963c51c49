/**
 * Faults put into what was registered: each must be found by the check that it names. `patches.test.ts` sees to it that
 * no check is left without one.
 */
import { DEFAULTS, type Expected } from "./checks/check.ts";
import type { Stack } from "./stack.ts";

export interface Patch {
  readonly check: string;
  readonly fault: string;
  readonly apply: (stack: Patchable) => void;
  /** What is believed to be expected, where the fault is that something else was. */
  readonly expected?: Partial<Expected>;
}

/** The registered resources, writable, by the beginning of a name. */
export interface Patchable {
  readonly app: { protect: boolean; removal: string };
  readonly warnings: string[];
  set(name: string, path: readonly (string | number)[], value: unknown): void;
  /** Replaces text in every string of a resource. */
  replace(name: string, from: string, to: string): void;
  retain(name: string, value: boolean): void;
  remove(name: string): void;
  add(type: string, name: string): void;
  link(functionName: string, secret: string): void;
}

export function applyPatch(original: Stack, patch: Patch): { stack: Stack; expected: Expected } {
  const stack = structuredClone(original) as unknown as Writable;
  const find = (name: string): WritableResource => {
    // The component of the same name has no inputs of its own.
    const found = stack.resources.find((it) => it.name.startsWith(name) && it.type.startsWith("aws:"));
    if (found === undefined) throw new Error(`nothing is named ${name}`);
    return found;
  };
  patch.apply({
    app: stack.app,
    warnings: stack.warnings,
    set: (name, path, value) => setIn(find(name).inputs, path, value),
    replace: (name, from, to) => {
      const resource = find(name);
      const before = JSON.stringify(resource.inputs);
      if (!before.includes(from)) throw new Error(`${name} does not contain ${from}`);
      resource.inputs = JSON.parse(before.replace(from, to)) as Record<string, unknown>;
    },
    retain: (name, value) => (find(name).retainOnDelete = value),
    remove: (name) => {
      stack.resources = stack.resources.filter((it) => it !== find(name));
    },
    link: (functionName, secret) => (stack.links[functionName] ??= []).push(secret),
    add: (type, name) => {
      stack.resources.push({ type, name, inputs: {}, parent: "", retainOnDelete: false, importId: "" });
    },
  });
  return { stack: stack as unknown as Stack, expected: { ...DEFAULTS, ...patch.expected } };
}

interface WritableResource {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
  parent: string;
  retainOnDelete: boolean;
  importId: string;
}

interface Writable {
  app: { name: string; protect: boolean; removal: string };
  resources: WritableResource[];
  links: Record<string, string[]>;
  warnings: string[];
}

function setIn(inputs: Record<string, unknown>, path: readonly (string | number)[], value: unknown): void {
  let holder: Record<string | number, unknown> = inputs;
  for (const key of path.slice(0, -1)) holder = holder[key] as Record<string | number, unknown>;
  const last = path.at(-1) ?? "";
  if (value === undefined) delete holder[last];
  else holder[last] = value;
}
