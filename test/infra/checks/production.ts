/** What `sst remove` leaves alone, and the table itself. */
import { all, at, one } from "../stack.ts";
import { isProduction, json, same, type Check } from "./check.ts";
import { TYPES } from "./find.ts";

export const PRODUCTION: readonly Check[] = [
  {
    name: "production is protected and retains; other stages go",
    run: ({ app }, expected) => [
      ...same("protect", app.protect, isProduction(expected)),
      ...same("removal", app.removal, isProduction(expected) ? "retain" : "remove"),
    ],
  },
  {
    name: "production keeps its table and its queues",
    run: (stack, expected) => [
      ...same(
        "table deletion protection",
        at(one(stack, TYPES.table), "deletionProtectionEnabled"),
        isProduction(expected),
      ),
      ...[...all(stack, TYPES.table), ...all(stack, TYPES.queue)].flatMap(({ name, retainOnDelete }) =>
        same(`${name} is retained`, retainOnDelete, isProduction(expected)),
      ),
    ],
  },
  {
    name: "the table has the store's keys, expires by itself and is paid by use",
    run: (stack) => {
      const table = one(stack, TYPES.table);
      return [
        ...same("partition key", at(table, "hashKey"), "pk"),
        ...same("sort key", at(table, "rangeKey"), "sk"),
        ...same("expiry", at(table, "ttl"), { attributeName: "expiresAt", enabled: true }),
        ...same("billing", at(table, "billingMode"), "PAY_PER_REQUEST"),
        ...same("recovery", at(table, "pointInTimeRecovery"), { enabled: true }),
      ];
    },
  },
  {
    name: "the settings are kept with the stage, and not in sst dev",
    run: (stack, expected) => {
      const kept = all(stack, TYPES.parameter);
      if (expected.isDev) return same("parameters", kept.length, 0);
      const parameter = one(stack, TYPES.parameter, "KeptSettings");
      const names = Object.keys(json(parameter, at(parameter, "value")));
      return [
        ...same("its name", at(parameter, "name"), `/firehose-backfill/${expected.stage}/settings`),
        ...same(
          "settings that are not kept",
          ["RELAY_URL", ...Object.keys(expected.settings)].filter((name) => !names.includes(name)),
          [],
        ),
      ];
    },
  },
];
