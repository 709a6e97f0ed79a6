import { memo, useMemo, useState } from "react";
import { buildGuides, buildSeries, metricNames, viewHasSeries } from "./chartSeries.ts";
import type { ChartAxis, ChartHistory } from "./chartSeries.ts";
import type { ChartMark, ChartSpec, ChartView, ChartViews, MetricChartProps } from "./chartTypes.ts";
import { MetricChart } from "./MetricChart.tsx";

/** A chart of the list and the run it shows. */
export interface RunChartProps extends Pick<
  MetricChartProps,
  "smoothing" | "hoveredX" | "onHoverX" | "zoom" | "onZoom" | "height"
> {
  readonly chart: ChartSpec;
  readonly history: ChartHistory;
  /** Changes whenever the history does, because the history itself is one object that grows. */
  readonly version: number;
  readonly axis: ChartAxis;
  /** Scale of signed metrics; charts whose values never cross 0 stay linear until their menu says otherwise. */
  readonly scale: "linear" | "symlog";
  /** Marks by step. */
  readonly marks?: readonly { readonly step: number; readonly label: string }[];
}

/** One chart of the list, drawn from a run's history. */
export const RunChart = memo(function RunChart(props: RunChartProps) {
  const { chart, history, version, axis, scale, marks, ...rest } = props;
  const [viewId, setViewId] = useState(chart.views[0].id);
  const { views, subtitle, series, guides, callout } = useMemo(() => {
    const measured = version < 0 ? [] : chart.views.filter((candidate) => viewHasSeries(candidate, history));
    const shown = measured.find(({ id }) => id === viewId) ?? measured[0] ?? chart.views[0];
    const built = buildSeries(shown, history, axis);
    return {
      subtitle: metricNames(chart, shown, history),
      series: built,
      guides: buildGuides(chart, built),
      callout: chart.callout?.(built) ?? null,
      views: measured.length < 2 ? null : viewsOf(measured, shown.id, setViewId),
    };
  }, [chart, viewId, history, axis, version]);
  const drawnMarks = useMemo(() => placeMarks(marks ?? [], history, axis), [marks, history, axis]);
  return (
    <MetricChart
      {...rest}
      title={chart.title}
      subtitle={subtitle}
      series={series}
      guides={guides}
      marks={drawnMarks}
      xLabel={axis === "steps" ? "step" : "second"}
      scale={chart.scale === "symlog" ? scale : "linear"}
      {...(chart.callout === undefined ? {} : { callout })}
      emptyText={chart.isHeldOut === true ? "Appears after the first evaluation." : "Appears after step 1."}
      {...(chart.fixedRange === undefined ? {} : { fixedRange: chart.fixedRange })}
      {...(views === null ? {} : { views })}
    />
  );
});

function viewsOf(views: readonly ChartView[], selected: string, onSelect: (id: string) => void): ChartViews {
  return { options: views.map(({ id, label }) => ({ id, label })), selected, onSelect };
}

function placeMarks(
  marks: NonNullable<RunChartProps["marks"]>,
  history: ChartHistory,
  axis: ChartAxis,
): ChartMark[] {
  return marks.flatMap(({ step, label }) => {
    if (axis === "steps") return [{ x: step, label }];
    const record = history.steps.find((candidate) => candidate.step >= step);
    return record === undefined ? [] : [{ x: record.activeMs / 1000, label }];
  });
}
