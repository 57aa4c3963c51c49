/** Which function may see which secret. The reader parses strangers' bytes: it has no use for the database, and no key to it. */
import { at, type Stack } from "../stack.ts";
import { DATABASE_URL } from "../synth.ts";
import { holds, same, type Check } from "./check.ts";
import { functionOf, ROLES, type Role } from "./find.ts";

/** All that is linked, by function; a link is readable to all code of the function. */
const LINKED: Readonly<Record<Role, readonly string[]>> = {
  Reader: [],
  Consumer: ["DatabaseUrl"],
  Control: ["DatabaseUrl"],
  Status: [],
};

export const SECRETS: readonly Check[] = [
  {
    name: "issue 12.1: consumer and control alone see the database's address",
    run: (stack) => [
      ...ROLES.flatMap((role) => same(`${role}'s links`, stack.links[role]?.toSorted(), LINKED[role])),
      ...ROLES.flatMap((role) => inEnvironment(stack, role)),
    ],
  },
];

/** In `sst dev` and by mistake a link is an environment variable. */
function inEnvironment(stack: Stack, role: Role): readonly string[] {
  const variables = Object.entries(at(functionOf(stack, role), "environment", "variables") ?? {});
  return variables.flatMap(([name, value]) =>
    holds(
      `${role} has the address in ${name}`,
      !name.startsWith("SST_RESOURCE_DatabaseUrl") && !String(value).includes(DATABASE_URL),
    ),
  );
}
