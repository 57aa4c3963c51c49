/** BACKFILL_ALARM_EMAIL: an address, which status and logs do not show; or `none`, which declines alarms by name. */
import { type Kind, matching, withheld } from "./kinds.ts";

export const NO_ALARM_EMAIL = "none";

const address = withheld(matching("an e-mail address, or none", /^(?:none|[^\s@]+@[^\s@]+)$/));

export const alarmEmail: Kind<string> = {
  ...address,
  show: (value) => (value === NO_ALARM_EMAIL ? value : address.show(value)),
};
