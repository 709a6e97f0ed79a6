/** Turns the history of a run into the series of a chart. */
import type { RunHistory, SeriesPoint } from "../../state/series.ts";
import type { StepRecord } from "../../worker/protocol.ts";
import type { ChartGuide, ChartSeries, ChartSpec, ChartView } from "./chartTypes.ts";

/** What the horizontal axis counts. */
export type ChartAxis = "steps" | "seconds";

/** The part of a run's history that charts read. */
export type ChartHistory = Pick<RunHistory, "steps" | "evaluations" | "metricSeries">;

/** Whether a run has at least one series of a chart. */
export function hasSeries(chart: ChartSpec, history: ChartHistory): boolean {
  return chart.views.some((view) => viewHasSeries(view, history));
}

/** Whether a run has at least one series of a view. */
export function viewHasSeries(view: ChartView, history: ChartHistory): boolean {
  const steps = history.steps.at(-1)?.metrics ?? {};
  const evaluations = history.evaluations.at(-1)?.metrics ?? {};
  return view.series.some(({ name }) => name in steps || `eval_${name}` in evaluations);
}

/** The lines of a view as they are now. */
export function buildSeries(view: ChartView, history: ChartHistory, axis: ChartAxis): ChartSeries[] {
  const places = axis === "steps" ? null : secondsBySteps(history);
  const place = (step: number) => places?.get(step) ?? (places === null ? step : 0);
  return view.series
    .map((line) => {
      const drawn = history.metricSeries(line.name);
      return {
        ...line,
        points: zip(drawn.steps.map(place), drawn.values),
        complete: completePoints(history.steps, line.name, axis),
        evalPoints: zip(drawn.evalSteps.map(place), drawn.evalValues),
      };
    })
    .filter(({ points, evalPoints }) => points.length > 0 || evalPoints.length > 0);
}

/** The chart's own guides, and the held-out values of step 0 when the chart asks for them. */
export function buildGuides(chart: ChartSpec, series: readonly ChartSeries[]): ChartGuide[] {
  const starts = chart.hasStartGuides === true ? series.map(startGuide) : [];
  return [...(chart.guides ?? []), ...starts.filter((guide) => guide !== null)];
}

/** The names of a view's metrics as they are logged: some methods measure in steps what others do in evaluations only. */
export function metricNames(chart: ChartSpec, view: ChartView, history: ChartHistory): string {
  const steps = history.steps.at(-1)?.metrics ?? {};
  const isMeasuredInSteps = view.series.some(({ name }) => name in steps);
  const prefix = chart.isHeldOut === true && !isMeasuredInSteps ? "eval_" : "";
  return view.series.map(({ name }) => `${prefix}${name}`).join(" · ");
}

function startGuide({ evalPoints }: ChartSeries): ChartGuide | null {
  const first = evalPoints?.[0];
  if (first === undefined || first.x !== 0 || !Number.isFinite(first.y)) return null;
  return { y: first.y, label: "start" };
}

function completePoints(records: readonly StepRecord[], name: string, axis: ChartAxis): SeriesPoint[] {
  return records.flatMap(({ step, activeMs, metrics }) => {
    const y = metrics[name];
    return y === undefined ? [] : [{ x: axis === "steps" ? step : activeMs / 1000, y }];
  });
}

function secondsBySteps({ steps, evaluations }: ChartHistory): Map<number, number> {
  return new Map([...evaluations, ...steps].map(({ step, activeMs }) => [step, activeMs / 1000]));
}

function zip(xs: readonly number[], ys: readonly number[]): SeriesPoint[] {
  return xs.map((x, index) => ({ x, y: ys[index] ?? Number.NaN }));
}
