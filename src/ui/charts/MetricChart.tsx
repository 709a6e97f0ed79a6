import { useElementSize } from "@mantine/hooks";
import { useId, useMemo, useState } from "react";
import { Icon } from "../components/Icon.tsx";
import "./charts.css";
import { ChartCrosshair } from "./ChartCrosshair.tsx";
import { ChartLabels, gutterFor } from "./ChartLabels.tsx";
import { ChartOptions } from "./ChartOptions.tsx";
import { ChartPlot } from "./ChartPlot.tsx";
import { ChartTable } from "./ChartTable.tsx";
import type { ChartMark, ChartGuide, ChartScale, MetricChartProps } from "./chartTypes.ts";
import { ChartUnderlay } from "./ChartUnderlay.tsx";
import { fitPlaces, fitValues, type Range } from "./domains.ts";
import { downloadText } from "./downloadText.ts";
import { drawnLine, type DrawnLine } from "./drawnSeries.ts";
import { plotGeometry, type PlotGeometry } from "./plotGeometry.ts";
import { logRefusal } from "./scales.ts";
import { summarise, tableRows, toCsv } from "./summary.ts";

const noMarks: readonly ChartMark[] = [];
const noGuides: readonly ChartGuide[] = [];

/** Least length of the axis, so that the first steps do not stretch over the whole width. */
const shortestAxis = 10;

/** A line chart of one run: heading, plot with crosshair, table, and a sentence for screen readers. */
export function MetricChart(props: MetricChartProps) {
  const { title, subtitle, series, xLabel, callout, views } = props;
  const settings = useChartSettings(props);
  const [isTable, setIsTable] = useState(false);
  const summaryId = useId();
  const isEmpty = series.every(({ points, evalPoints = [] }) => points.length + evalPoints.length === 0);
  const isSmoothed = settings.smoothing > 0 && series.some(({ points }) => points.length > 0);
  const download = () => downloadText(`${fileName(title)}.csv`, toCsv(tableRows(series), xLabel), "text/csv");
  return (
    <section className="panel chart" aria-label={title}>
      <header className="chart-heading">
        <h2>{title}</h2>
        <div className="chart-tools">
          {views !== undefined && <ViewSwitch {...views} title={title} />}
          <button
            type="button"
            className="chart-button"
            aria-label={`${title} as a ${isTable ? "chart" : "table"}`}
            aria-pressed={isTable}
            disabled={isEmpty}
            onClick={() => setIsTable(!isTable)}
          >
            <Icon name={isTable ? "chart" : "table"} />
          </button>
          <ChartOptions title={title} {...settings} onDownload={download} />
        </div>
        <p className="chart-subtitle" title={subtitle}>
          {subtitle}
        </p>
        <p className="chart-caption">
          {settings.scale === "linear" ? "" : settings.scale}
          {isSmoothed
            ? `${settings.scale === "linear" ? "" : " · "}smooth ${settings.smoothing.toFixed(2)}`
            : ""}
        </p>
      </header>
      {callout !== undefined && callout !== null && <p className="chart-callout">{callout}</p>}
      {isTable && !isEmpty ? (
        <ChartTable title={title} xLabel={xLabel} rows={tableRows(series)} />
      ) : (
        <Plot {...props} {...settings} summaryId={summaryId} isEmpty={isEmpty} />
      )}
      <p className="chart-spoken" id={summaryId}>
        {props.summary ?? summarise(title, series, xLabel)}
      </p>
    </section>
  );
}

/** Scale and smoothing of the page, unless this chart has its own. */
function useChartSettings({ scale, smoothing, series, xLabel }: MetricChartProps) {
  const [ownScale, setOwnScale] = useState<ChartScale | null>(null);
  const [ownSmoothing, setOwnSmoothing] = useState<number | null>(null);
  const refusal = useMemo(() => logRefusal(series, xLabel), [series, xLabel]);
  const wanted = ownScale ?? scale;
  const hasOwn = ownScale !== null || ownSmoothing !== null;
  return {
    // A value that log cannot show may arrive after log was chosen.
    scale: wanted === "log" && refusal !== null ? ("symlog" as const) : wanted,
    onScale: setOwnScale,
    logRefusal: refusal,
    smoothing: ownSmoothing ?? smoothing,
    onSmoothing: setOwnSmoothing,
    onReset: hasOwn
      ? () => {
          setOwnScale(null);
          setOwnSmoothing(null);
        }
      : null,
  };
}

type PlotProps = Omit<MetricChartProps, "scale"> & {
  readonly scale: ChartScale;
  readonly summaryId: string;
  readonly isEmpty: boolean;
};

function Plot(props: PlotProps) {
  const { title, series, xLabel, smoothing, hoveredX, onHoverX, summaryId, isEmpty, height = 176 } = props;
  const { ref, width } = useElementSize();
  const [ownZoom, setOwnZoom] = useState<Range | null>(null);
  const zoom = props.zoom === undefined ? ownZoom : props.zoom;
  const onZoom = props.onZoom ?? setOwnZoom;
  const lines = useMemo(() => series.map((line) => drawnLine(line, smoothing)), [series, smoothing]);
  const everything = useMemo(() => fitPlaces(allPoints(lines), shortestAxis), [lines]);
  const geometry = useGeometry(props, { lines, width, height, places: zoom ?? everything });
  return (
    <div className="chart-plot" ref={ref} style={{ height }}>
      {isEmpty && <p className="chart-empty">{props.emptyText ?? "Appears after step 1."}</p>}
      {width > 0 && (
        <>
          <ChartUnderlay
            geometry={geometry}
            guides={props.guides ?? noGuides}
            marks={props.marks ?? noMarks}
          />
          <ChartPlot lines={lines} geometry={geometry} />
        </>
      )}
      {width > 0 && !isEmpty && (
        <>
          <ChartLabels lines={lines} geometry={geometry} hoveredX={hoveredX} />
          <ChartCrosshair
            {...{ title, summaryId, xLabel, lines, geometry, everything, hoveredX, onHoverX, onZoom }}
          />
          {zoom !== null && (
            <button type="button" className="chart-follow" onClick={() => onZoom(null)}>
              Show all
            </button>
          )}
        </>
      )}
    </div>
  );
}

interface Layout {
  readonly lines: readonly DrawnLine[];
  readonly width: number;
  readonly height: number;
  readonly places: Range;
}

function useGeometry({ scale, fixedRange, guides }: PlotProps, layout: Layout): PlotGeometry {
  const { lines, width, height, places } = layout;
  return useMemo(() => {
    const guidePoints = (guides ?? noGuides).map(({ y }) => ({ x: places[0], y }));
    const fitted = fitValues([...allPoints(lines), guidePoints], places, scale);
    const isFixed = fixedRange !== undefined && scale !== "log";
    return plotGeometry({
      width,
      height,
      gutter: gutterFor(lines),
      places,
      values: isFixed ? fixedRange : (fitted ?? [-1, 1]),
      scale,
    });
  }, [lines, width, height, places, scale, fixedRange, guides]);
}

function allPoints(lines: readonly DrawnLine[]) {
  return lines.flatMap(({ rawPoints, smoothPoints, evalPoints }) => [rawPoints, smoothPoints, evalPoints]);
}

type ViewSwitchProps = NonNullable<MetricChartProps["views"]> & { readonly title: string };

function ViewSwitch({ options, selected, onSelect, title }: ViewSwitchProps) {
  return (
    <div className="chart-views" role="group" aria-label={`What ${title} shows`}>
      {options.map(({ id, label }) => (
        <button key={id} type="button" aria-pressed={id === selected} onClick={() => onSelect(id)}>
          {label}
        </button>
      ))}
    </div>
  );
}

function fileName(title: string): string {
  return title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
}
