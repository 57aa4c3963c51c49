/** `rate(…)`, `cron(…)` and `at(…)` as EventBridge Scheduler documents them. */

const RATE = /^rate\((\d+) (minute|hour|day)(s?)\)$/;
const CRON = /^cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)$/;
const AT = /^at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)$/;

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

interface Field {
  readonly least: number;
  readonly most: number;
  readonly names?: readonly string[];
  /** What a field of this kind takes beside numbers and names. */
  readonly special?: RegExp;
}

const FIELDS: readonly Field[] = [
  { least: 0, most: 59 },
  { least: 0, most: 23 },
  { least: 1, most: 31, special: /^(\?|L|LW|\d+W)$/ },
  { least: 1, most: 12, names: MONTHS },
  { least: 1, most: 7, names: DAYS, special: /^(\?|L|\d+L|\d+#[1-5])$/ },
  { least: 1970, most: 2199 },
];

export function isScheduleExpression(text: string): boolean {
  const [, count, , plural] = RATE.exec(text) ?? [];
  // One takes the singular, everything else the plural.
  if (count !== undefined) return Number(count) >= 1 && (Number(count) === 1) === (plural === "");
  const [, ...fields] = CRON.exec(text) ?? [];
  if (fields.length > 0) return isCron(fields);
  const [, time] = AT.exec(text) ?? [];
  return time !== undefined && !Number.isNaN(Date.parse(`${time}Z`));
}

function isCron(fields: readonly string[]): boolean {
  // A day is given by the month or by the week; the other is a question mark.
  const unknown = [fields[2], fields[4]].filter((field) => field === "?");
  return unknown.length === 1 && FIELDS.every((field, index) => isField(field, fields[index] ?? ""));
}

function isField(field: Field, text: string): boolean {
  if (field.special?.test(text) === true) return true;
  return text.split(",").every((part) => isPart(field, part));
}

/** `*`, `5`, `5-10`, `MON-FRI`, and any of them with a step: `0/15`. */
function isPart(field: Field, part: string): boolean {
  const [range = "", step, ...rest] = part.split("/");
  if (rest.length > 0 || (step !== undefined && !/^[1-9]\d*$/.test(step))) return false;
  if (range === "*") return true;
  const ends = range.split("-");
  return ends.length <= 2 && ends.every((end) => isValue(field, end));
}

function isValue({ least, most, names }: Field, text: string): boolean {
  if (names?.includes(text.toUpperCase()) === true) return true;
  return /^\d+$/.test(text) && Number(text) >= least && Number(text) <= most;
}
