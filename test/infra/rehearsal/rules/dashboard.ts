/** The dashboard: to the model its body is a text; CloudWatch reads it widget by widget. */
import { fieldsOf, isFields, listOf, parsed, type Fields, textOf } from "../call.ts";
import { rule, unless, type Rule } from "./rule.ts";

const MOST_WIDGETS = 500;
const MOST_METRICS_OF_ONE = 500;
const MOST_METRICS = 2500;
const MOST_ALARMS = 100;
const COLUMNS = 24;
const HIGHEST = 1000;
/** What each kind of widget cannot do without. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  text: ["markdown"],
  metric: ["region"],
  alarm: ["alarms"],
  log: ["region", "query"],
  explorer: ["metrics"],
};
const VIEWS: Readonly<Record<string, readonly string[]>> = {
  metric: ["timeSeries", "singleValue", "gauge", "bar", "pie", "table"],
  log: ["table", "timeSeries", "bar", "pie"],
};

export const DASHBOARD_RULES: readonly Rule[] = [
  rule("a dashboard's name has 255 letters, digits, - and _ at most", "cloudwatch.PutDashboard", (input) =>
    unless(/^[\w-]{1,255}$/.test(textOf(input["DashboardName"])), `"${textOf(input["DashboardName"])}"`),
  ),
  rule("a dashboard is JSON of 500 widgets and 2,500 metrics at most", "cloudwatch.PutDashboard", (input) => {
    const body = parsed(input["DashboardBody"]);
    if (!isFields(body) || !Array.isArray(body["widgets"])) return ["its body is no JSON with widgets"];
    const metrics = widgetsOf(input).reduce((sum, widget) => sum + metricsOf(widget).length, 0);
    return [
      ...unless(body["widgets"].length <= MOST_WIDGETS, `${body["widgets"].length} widgets`),
      ...unless(metrics <= MOST_METRICS, `${metrics} metrics`),
    ];
  }),
  widgetRule("a widget is of a kind that CloudWatch knows, with what it needs", (widget) => {
    const needed = NEEDED[textOf(widget["type"])];
    if (needed === undefined) return [`the kind ${textOf(widget["type"])}`];
    const properties = fieldsOf(widget["properties"]);
    const views = VIEWS[textOf(widget["type"])];
    return [
      ...needed.filter((name) => properties[name] === undefined).map((name) => `no ${name}`),
      ...unless(
        views === undefined || properties["view"] === undefined || views.includes(textOf(properties["view"])),
        `the view ${textOf(properties["view"])}`,
      ),
    ];
  }),
  widgetRule("a widget is within the 24 columns", (widget) => {
    const [x, y, width, height] = ["x", "y", "width", "height"].map((name) => Number(widget[name]));
    const isWithin =
      [x, y, width, height].every((it) => Number.isInteger(it)) &&
      (x ?? -1) >= 0 &&
      (y ?? -1) >= 0 &&
      (width ?? 0) >= 1 &&
      (height ?? 0) >= 1 &&
      (x ?? 0) + (width ?? 0) <= COLUMNS &&
      (height ?? 0) <= HIGHEST;
    return unless(isWithin, `x ${x}, y ${y}, ${width} wide, ${height} high`);
  }),
  widgetRule("a line is a metric with pairs of dimensions, or an expression", (widget) => {
    const metrics = metricsOf(widget);
    const ids = new Set(metrics.map((line) => fieldsOf(line.at(-1))["id"]).filter((id) => id !== undefined));
    return [
      ...unless(metrics.length <= MOST_METRICS_OF_ONE, `${metrics.length} lines`),
      ...metrics.flatMap((line) => lineProblems(line, ids)),
    ];
  }),
  widgetRule("a widget of alarms shows 100 at most, by their ARNs", (widget) => {
    if (widget["type"] !== "alarm") return [];
    const alarms = listOf(fieldsOf(widget["properties"])["alarms"]).map(textOf);
    return [
      ...unless(alarms.length >= 1 && alarms.length <= MOST_ALARMS, `${alarms.length} alarms`),
      ...alarms.filter((arn) => !/^arn:aws[a-z-]*:cloudwatch:[^:]+:\d{12}:alarm:/.test(arn)).map((arn) => `"${arn}"`),
    ];
  }),
];

function widgetRule(name: string, check: (widget: Fields) => readonly string[]): Rule {
  return rule(name, "cloudwatch.PutDashboard", (input) =>
    widgetsOf(input).flatMap((widget) => {
      const title = fieldsOf(widget["properties"])["title"] ?? widget["type"];
      return check(widget).map((says) => `widget "${textOf(title)}": ${says}`);
    }),
  );
}

function widgetsOf(input: Fields): Fields[] {
  return listOf(fieldsOf(parsed(input["DashboardBody"]))["widgets"]).map(fieldsOf);
}

function metricsOf(widget: Fields): (readonly unknown[])[] {
  if (widget["type"] !== "metric") return [];
  return listOf(fieldsOf(widget["properties"])["metrics"]).map(listOf);
}

function lineProblems(line: readonly unknown[], ids: ReadonlySet<unknown>): readonly string[] {
  const options = fieldsOf(line.at(-1));
  const words = line.filter((it) => typeof it === "string");
  if (options["expression"] !== undefined) {
    const names = [...textOf(options["expression"]).matchAll(/\b[a-z]\w*\b/g)].map(([name]) => name);
    return [
      ...unless(words.length === 0, "an expression beside a metric"),
      ...names.filter((name) => !ids.has(name)).map((name) => `no line is named ${name}`),
    ];
  }
  // Namespace, name, and each dimension's name and value.
  return unless(words.length >= 2 && words.length % 2 === 0, JSON.stringify(line));
}
