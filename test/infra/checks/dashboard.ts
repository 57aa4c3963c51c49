/** The dashboard: that it can be drawn at all, and that no metric is written for nobody. */
import { FIGURES, METRICS } from "../../../infra/metrics.ts";
import { all, at, one, type Stack } from "../stack.ts";
import { holds, json, same, type Check } from "./check.ts";
import { functionOf, TYPES } from "./find.ts";

interface Widget {
  readonly type: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: Readonly<Record<string, unknown>>;
}

const CHECKS: readonly Check[] = [
  {
    name: "issue 18.5: the dashboard draws every figure of the log lines",
    run: (stack) => {
      const queries = widgetsOf(stack).map(({ properties }) => String(properties["query"]));
      return FIGURES.flatMap((name) =>
        holds(
          `${name} is shown nowhere`,
          queries.some((query) => query.includes(`(${name})`)),
        ),
      );
    },
  },
  {
    name: "the dashboard shows every metric of the backfill but the frames'",
    run: (stack) => {
      const body = JSON.stringify(widgetsOf(stack));
      return Object.keys(METRICS).flatMap((name) => holds(`${name} is shown nowhere`, body.includes(`"${name}"`)));
    },
  },
  {
    name: "the dashboard's widgets fill the grid without overlap",
    run: (stack) => {
      const widgets = widgetsOf(stack);
      return widgets.flatMap((widget, index) => [
        ...holds(`widget ${index} leaves the grid`, widget.x >= 0 && widget.x + widget.width <= 24 && widget.width > 0),
        ...widgets
          .slice(index + 1)
          .flatMap((other, step) => holds(`widgets ${index} and ${index + 1 + step} overlap`, !overlap(widget, other))),
      ]);
    },
  },
  {
    name: "the dashboard shows every alarm, and the stage's own figures",
    run: (stack, { stage }) => {
      const body = JSON.stringify(widgetsOf(stack));
      return [
        ...all(stack, TYPES.alarm).flatMap((alarm) =>
          holds(`${alarm.name} is not on it`, body.includes(`alarm:${String(at(alarm, "name"))}`)),
        ),
        ...holds("the stage is not named", body.includes(`"stage","${stage}"`)),
        ...(["Reader", "Consumer"] as const).flatMap((role) =>
          holds(
            `${role}'s figures are not on it`,
            body.includes(`"FunctionName","${String(at(functionOf(stack, role), "name"))}"`),
          ),
        ),
        ...same("name", at(one(stack, TYPES.dashboard), "dashboardName"), `firehose-backfill-${stage}-status`),
      ];
    },
  },
  {
    name: "issue 14.1: the dashboard lists the runs by what the reader says of each tick",
    run: (stack) => {
      const queries = widgetsOf(stack).map(({ properties }) => String(properties["query"]));
      return holds(
        "no widget groups the reader's lines by run",
        queries.some((query) => query.includes(" by runId") && query.includes("fallsOffInSeconds")),
      );
    },
  },
];

/** With BACKFILL_DASHBOARD=false there is none. */
export const DASHBOARD: readonly Check[] = CHECKS.map(({ name, run }) => ({
  name,
  run: (stack, expected) =>
    expected.hasDashboard ? run(stack, expected) : same("dashboards", all(stack, TYPES.dashboard).length, 0),
}));

function widgetsOf(stack: Stack): readonly Widget[] {
  const dashboard = one(stack, TYPES.dashboard);
  return json(dashboard, at(dashboard, "dashboardBody"))["widgets"] as Widget[];
}

function overlap(a: Widget, b: Widget): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
