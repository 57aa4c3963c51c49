/** The metrics in what a function printed, in CloudWatch's embedded format: one JSON object a line. */

import type { FIGURES } from "../../functions/shared/figures.ts";

type FigureName = (typeof FIGURES)[number];

export interface MetricLine {
  readonly namespace: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, number>>;
}

interface EmbeddedMetrics {
  readonly _aws?: {
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string }[];
    }[];
  };
  readonly [name: string]: unknown;
}

export function metricLines(output: string): MetricLine[] {
  return jsonLines(output).flatMap((line) => {
    const { _aws: about }: EmbeddedMetrics = line;
    return (about?.CloudWatchMetrics ?? []).map((group) => ({
      namespace: group.Namespace,
      dimensions: Object.fromEntries(group.Dimensions.flat().map((name) => [name, String(line[name])])),
      values: Object.fromEntries(group.Metrics.map(({ Name }) => [Name, Number(line[Name])])),
    }));
  });
}

export function sumOfMetric(output: string, name: string): number {
  return metricLines(output).reduce((sum, { values }) => sum + (values[name] ?? 0), 0);
}

/** Of the figures that are fields of the log lines. */
export function sumOfFigure(output: string, name: FigureName): number {
  return jsonLines(output).reduce((sum, line) => sum + Number(line[name] ?? 0), 0);
}

/** Everything that a function printed: there is no line of another form. */
export function jsonLines(output: string): Record<string, unknown>[] {
  return output
    .split("\n")
    .filter((line) => line !== "")
    .map((line): Record<string, unknown> => JSON.parse(line));
}
