/** What the program asked for, as plain values, and how the checks find their way in it. */
export interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
  readonly parent: string;
  readonly retainOnDelete: boolean;
  /** Set where the program adopts what is there already. */
  readonly importId: string;
}

export interface Stack {
  /** What sst.config.ts says of the stage. */
  readonly app: { readonly name: string; readonly removal: string; readonly protect: boolean };
  readonly resources: readonly Registered[];
  /** What is linked to each function, by its logical name: SST encrypts the values into the bundle. */
  readonly links: Readonly<Record<string, readonly string[]>>;
  readonly outputs: Record<string, unknown>;
  /** What was written to the person who deploys. */
  readonly warnings: readonly string[];
}

export interface SynthInput {
  readonly stage: string;
  readonly isDev: boolean;
  /** Does the account already have the registry of test events? */
  readonly hasRegistry: boolean;
  readonly region: string;
  /** Of the last deploy; null: there was none. */
  readonly keptSettings: Readonly<Record<string, string>> | null;
}

/** The one resource of that type whose name begins like this. @throws when there is none, or more. */
export function one(stack: Stack, type: string, name = ""): Registered {
  const found = all(stack, type).filter((resource) => resource.name.startsWith(name));
  const [first] = found;
  if (first === undefined || found.length > 1) {
    throw new Error(`${found.length} resources of type ${type} named ${name}…`);
  }
  return first;
}

export function all(stack: Stack, type: string): Registered[] {
  return stack.resources.filter((resource) => resource.type === type);
}

/** A value inside the inputs: `at(queue, "redrivePolicy")`, `at(schedule, "target", "retryPolicy")`. */
export function at(resource: Registered, ...path: (string | number)[]): unknown {
  let value: unknown = resource.inputs;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}
