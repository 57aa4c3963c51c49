/** The status page's address: signed requests only, no other site, and nobody let in by a resource policy. */
import { all, at, one } from "../stack.ts";
import { same, type Check } from "./check.ts";
import { functionOf, TYPES } from "./find.ts";

export const STATUS_URL: readonly Check[] = [
  {
    name: "the status page asks for a signature",
    run: (stack) => {
      const url = one(stack, TYPES.functionUrl);
      return [
        ...same("of", at(url, "functionName"), at(functionOf(stack, "Status"), "name")),
        ...same("authorization", at(url, "authorizationType"), "AWS_IAM"),
      ];
    },
  },
  {
    name: "no other site's script may ask for it",
    run: (stack) => same("CORS", at(one(stack, TYPES.functionUrl), "cors"), undefined),
  },
  {
    name: "no function lets anybody in by itself",
    run: (stack) =>
      same(
        "resource policies",
        all(stack, TYPES.permission).map(({ name }) => name),
        [],
      ),
  },
];
