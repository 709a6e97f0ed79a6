import { memo, useMemo, useState } from "react";
import { buildGuides, buildSeries, metricNames, viewHasSeries } from "./chartSeries.ts";
import type { ChartAxis, ChartHistory } from "./chartSeries.ts";
import type { ChartMark, ChartSpec, MetricChartProps } from "./chartTypes.ts";
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
  const views = chart.views.filter((view) => viewHasSeries(view, history));
  const view = views.find(({ id }) => id === viewId) ?? views[0] ?? chart.views[0];
  const { series, guides } = useMemo(() => {
    const built = version < 0 ? [] : buildSeries(view, history, axis);
    return { series: built, guides: buildGuides(chart, built) };
  }, [chart, view, history, axis, version]);
  const drawnMarks = useMemo(() => placeMarks(marks ?? [], history, axis), [marks, history, axis]);
  return (
    <MetricChart
      {...rest}
      title={chart.title}
      subtitle={metricNames(chart, view)}
      series={series}
      guides={guides}
      marks={drawnMarks}
      xLabel={axis === "steps" ? "step" : "second"}
      scale={chart.scale === "symlog" ? scale : "linear"}
      {...(chart.callout === undefined ? {} : { callout: chart.callout(series) })}
      emptyText={chart.isHeldOut === true ? "Appears after the first evaluation." : "Appears after step 1."}
      {...(chart.fixedRange === undefined ? {} : { fixedRange: chart.fixedRange })}
      {...(views.length < 2
        ? {}
        : {
            views: {
              options: views.map(({ id, label }) => ({ id, label })),
              selected: view.id,
              onSelect: setViewId,
            },
          })}
    />
  );
});

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
