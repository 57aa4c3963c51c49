/** Names that AWS gives: what may be a list is separated by commas. Whether they exist is found out by the deploy. */
import { escapeForLog } from "../log-lines.ts";
import { type Kind, matching, quoteHeld } from "./kinds.ts";

/** Lambda takes no more of either. */
const MOST_SUBNETS = 16;
const MOST_SECURITY_GROUPS = 5;

export const subnets = ids("subnet", MOST_SUBNETS);
export const securityGroups = ids("sg", MOST_SECURITY_GROUPS);

/** A user of a database of RDS or Aurora, or of a proxy before it. The policy names this one, and no pattern. */
export const databaseUserArn = matching(
  "the ARN of one database user, such as arn:aws:rds-db:eu-central-1:123456789012:dbuser:db-ABCDEFGHIJKL/backfill",
  /^arn:aws[a-z-]*:rds-db:[a-z0-9-]+:\d{12}:dbuser:(?:db|cluster|prx)-[A-Za-z0-9]+\/[\w+=.@-]{1,63}$/,
);

function ids(prefix: string, most: number): Kind<readonly string[]> {
  const one = new RegExp(`^${prefix}-(?:[0-9a-f]{8}|[0-9a-f]{17})$`);
  return {
    takes: `at most ${most} names such as ${prefix}-0123456789abcdef0, separated by commas`,
    parse: (text) => {
      const items = text.split(",").map((item) => item.trim());
      const wrong = items.find((item) => !one.test(item));
      if (wrong !== undefined) return { problem: wrong === text ? "" : `not one of them: ${quoteHeld(wrong)}` };
      if (new Set(items).size < items.length) return { problem: "a name is given twice" };
      if (items.length > most) return { problem: `${items.length} are too many` };
      return { value: items };
    },
    show: (items) => (items.length === 0 ? null : escapeForLog(items.join(","))),
    showHeld: quoteHeld,
  };
}
