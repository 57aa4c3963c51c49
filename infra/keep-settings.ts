/** A parameter of Systems Manager with the settings of the last deploy, and the comparison with it before anything is created. */
import { compareSettings, DROPS, type Kept } from "./kept-settings.ts";
import type { DeploySettings } from "./settings.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Not for `sst dev`, where the stage is one person's. @throws Error as compareSettings does, and where nothing can be read */
export async function keepSettings(settings: Pick<DeploySettings, "toKeep">, env: Environment): Promise<void> {
  if ($dev) return;
  const path = `/${$app.name}/${$app.stage}`;
  const name = `${path}/settings`;
  const before = await readKept(path, name);
  if (before !== null) {
    const changes = compareSettings(before, settings.toKeep, env[DROPS]);
    if (changes.length > 0) console.warn(["Settings that differ from the last deploy:", ...changes].join("\n  "));
  }
  new aws.ssm.Parameter("KeptSettings", {
    name,
    type: "String",
    description: "Settings of the last deploy; the next one is compared with them.",
    value: JSON.stringify(settings.toKeep),
  });
}

/** null: the stage was never deployed. By its path, because a parameter that is not there is then no error. */
async function readKept(path: string, name: string): Promise<Kept | null> {
  try {
    const { names, values } = await aws.ssm.getParametersByPath({ path });
    const value = values[names.indexOf(name)];
    if (value === undefined) return null;
    const kept: Kept = JSON.parse(value);
    return kept;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new Error(
      `The settings of the last deploy could not be read (${name}); the deploy needs ssm:GetParametersByPath. ${said}`,
      { cause: error },
    );
  }
}
