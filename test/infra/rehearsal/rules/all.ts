/** Every rule, in the order in which a report lists them. */
import { ALARM_RULES } from "./alarms.ts";
import { DASHBOARD_RULES } from "./dashboard.ts";
import { FUNCTION_RULES } from "./functions.ts";
import { LOG_RULES } from "./logs.ts";
import { NAME_RULES } from "./names.ts";
import { PARAMETER_RULES } from "./parameters.ts";
import { QUEUE_RULES } from "./queues.ts";
import { ROLE_RULES } from "./roles.ts";
import type { Rule } from "./rule.ts";
import { SCHEDULE_RULES } from "./schedule.ts";
import { TABLE_RULES } from "./table.ts";
import { TOPIC_RULES } from "./topics.ts";

export const RULES: readonly Rule[] = [
  ...NAME_RULES,
  ...FUNCTION_RULES,
  ...QUEUE_RULES,
  ...TABLE_RULES,
  ...ROLE_RULES,
  ...SCHEDULE_RULES,
  ...LOG_RULES,
  ...ALARM_RULES,
  ...DASHBOARD_RULES,
  ...TOPIC_RULES,
  ...PARAMETER_RULES,
];
