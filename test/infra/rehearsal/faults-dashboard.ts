/** Faults in the dashboard. */
import { set, type Fault } from "./fault.ts";
import { THE_MODEL } from "./rehearse.ts";

const BODY = ["Dashboard", "dashboardBody"] as const;

function bodyOf(...widgets: readonly object[]): string {
  return JSON.stringify({ widgets });
}

const GRAPH = {
  type: "metric",
  x: 0,
  y: 0,
  width: 8,
  height: 6,
  properties: {
    title: "Graph",
    region: "eu-central-1",
    view: "timeSeries",
    metrics: [["AWS/SQS", "Age", "QueueName", "q"]],
  },
};

export const DASHBOARD_FAULTS: readonly Fault[] = [
  set(
    "a dashboard's name has 255 letters, digits, - and _ at most",
    "a blank",
    "the status",
    ["Dashboard", "dashboardName"],
    "the status",
  ),
  set("a dashboard is JSON of 500 widgets and 2,500 metrics at most", "no JSON", "no JSON", BODY, "{"),
  set(
    "a dashboard is JSON of 500 widgets and 2,500 metrics at most",
    "501 widgets",
    "501 widgets",
    BODY,
    bodyOf(...Array.from({ length: 501 }, () => GRAPH)),
  ),
  set(
    "a widget is of a kind that CloudWatch knows, with what it needs",
    "a kind",
    "the kind graph",
    BODY,
    bodyOf({ ...GRAPH, type: "graph" }),
  ),
  set(
    "a widget is of a kind that CloudWatch knows, with what it needs",
    "no region",
    "no region",
    BODY,
    bodyOf({ ...GRAPH, properties: {} }),
  ),
  set(
    "a widget is of a kind that CloudWatch knows, with what it needs",
    "a view",
    "the view lines",
    BODY,
    bodyOf({ ...GRAPH, properties: { ...GRAPH.properties, view: "lines" } }),
  ),
  set("a widget is within the 24 columns", "beyond them", "x 20", BODY, bodyOf({ ...GRAPH, x: 20 })),
  set(
    "a line is a metric with pairs of dimensions, or an expression",
    "a dimension without a value",
    "QueueName",
    BODY,
    bodyOf({ ...GRAPH, properties: { ...GRAPH.properties, metrics: [["AWS/SQS", "Age", "QueueName"]] } }),
  ),
  set(
    "a line is a metric with pairs of dimensions, or an expression",
    "an expression over nothing",
    "no line is named age",
    BODY,
    bodyOf({ ...GRAPH, properties: { ...GRAPH.properties, metrics: [[{ expression: "age * 2" }]] } }),
  ),
  set(
    "a widget of alarms shows 100 at most, by their ARNs",
    "by name",
    "falls-off",
    BODY,
    bodyOf({ ...GRAPH, type: "alarm", properties: { alarms: ["falls-off"] } }),
  ),
  set(THE_MODEL, "a dashboard without a body", "DashboardBody is required", BODY, undefined),
];
