/** The values that SST links to a function: the stage's name, and the secrets, encrypted in the bundle. Read at first use. */
import { Resource } from "sst/resource";

const NO_STAGE = "local";

/** `local` if SST has linked nothing. */
export function stageName(): string {
  return "App" in Resource ? Resource.App.stage : NO_STAGE;
}

/** null: no secret of this name is linked to this function. */
export function linkedSecret(name: string): string | null {
  if (!(name in Resource)) return null;
  const secret: unknown = Reflect.get(Resource, name);
  if (typeof secret !== "object" || secret === null || !("value" in secret)) return null;
  return typeof secret.value === "string" ? secret.value : null;
}
