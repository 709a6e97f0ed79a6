import { memo } from "react";
import { ChartOptions } from "./ChartOptions.tsx";
import type { ChartSeries, ChartViews } from "./chartTypes.ts";
import { downloadText } from "./downloadText.ts";
import { tableRows, toCsv } from "./summary.ts";
import type { ChartSettings } from "./useChartSettings.ts";

/** What a chart's heading needs. */
export interface ChartHeadingProps {
  readonly title: string;
  readonly subtitle: string;
  readonly series: readonly ChartSeries[];
  readonly xLabel: string;
  readonly settings: ChartSettings;
  readonly views: ChartViews | null;
  readonly isTable: boolean;
  readonly isEmpty: boolean;
  readonly onTable: (isTable: boolean) => void;
}

/** Name and metric of a chart, how it is drawn, and its tools. Moving the crosshair does not draw it again. */
export const ChartHeading = memo(function ChartHeading(props: ChartHeadingProps) {
  const { title, subtitle, series, xLabel, settings, views, isTable, isEmpty, onTable } = props;
  return (
    <header className="chart-heading">
      <h2>{title}</h2>
      <p className="chart-caption">{caption(settings, series)}</p>
      <p className="chart-subtitle" title={subtitle}>
        {subtitle}
      </p>
      <div className="chart-tools">
        {views !== null && <ViewSwitch {...views} title={title} />}
        {isTable && (
          <button type="button" className="chart-back" onClick={() => onTable(false)}>
            Chart
          </button>
        )}
        <ChartOptions
          title={title}
          settings={settings}
          onTable={isEmpty ? null : () => onTable(true)}
          onDownload={() =>
            downloadText(`${fileName(title)}.csv`, toCsv(tableRows(series), xLabel), "text/csv")
          }
        />
      </div>
    </header>
  );
});

/** Scale and smoothing in words, where they are not plain. */
function caption({ scale, smoothing }: ChartSettings, series: readonly ChartSeries[]): string {
  const isSmoothed = smoothing > 0 && series.some(({ points }) => points.length > 0);
  const parts = [scale === "linear" ? "" : scale, isSmoothed ? `smooth ${smoothing.toFixed(2)}` : ""];
  return parts.filter((part) => part !== "").join(" · ");
}

function ViewSwitch({ options, selected, onSelect, title }: ChartViews & { readonly title: string }) {
  return (
    <select
      className="chart-view"
      aria-label={`What ${title} shows`}
      value={selected}
      onChange={(event) => onSelect(event.currentTarget.value)}
    >
      {options.map(({ id, label }) => (
        <option key={id} value={id}>
          {label}
        </option>
      ))}
    </select>
  );
}

function fileName(title: string): string {
  return title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
}
