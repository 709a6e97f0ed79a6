import { Button, Popover, SegmentedControl, Slider } from "@mantine/core";
import { useState } from "react";
import { Icon } from "../components/Icon.tsx";
import type { ChartSettings } from "./useChartSettings.ts";

/** What a chart's own menu changes. */
export interface ChartOptionsProps {
  readonly title: string;
  readonly settings: ChartSettings;
  /** Shows the numbers in place of the lines; null when there are none. */
  readonly onTable: (() => void) | null;
  readonly onDownload: () => void;
}

/** Scale, smoothing and the file of one chart. */
export function ChartOptions(props: ChartOptionsProps) {
  const { title, settings, onTable, onDownload } = props;
  const { scale, onScale, logRefusal, smoothing, onSmoothing, hasOwn, onReset } = settings;
  const [isOpen, setIsOpen] = useState(false);
  return (
    <Popover
      opened={isOpen}
      onChange={setIsOpen}
      position="bottom-end"
      width={264}
      trapFocus
      returnFocus
      shadow="md"
    >
      <Popover.Target>
        <button
          type="button"
          className="chart-button"
          aria-label={`Options of ${title}`}
          onClick={() => setIsOpen(!isOpen)}
        >
          <Icon name="settings" />
        </button>
      </Popover.Target>
      <Popover.Dropdown aria-label={`Options of ${title}`}>
        <div className="chart-options">
          <span className="chart-option-name">Scale</span>
          <SegmentedControl
            aria-label="Scale"
            size="xs"
            fullWidth
            value={scale}
            onChange={(value) => onScale(value === "log" ? "log" : value === "symlog" ? "symlog" : "linear")}
            data={[
              { value: "linear", label: "linear" },
              { value: "symlog", label: "symlog" },
              { value: "log", label: "log", disabled: logRefusal !== null },
            ]}
          />
          <p className="chart-option-help">
            {logRefusal ?? "symlog also shows 0 and negative values; log does not."}
          </p>
          <span className="chart-option-name">
            Smoothing <b>{smoothing.toFixed(2)}</b>
          </span>
          <Slider
            thumbProps={{ "aria-label": `Smoothing of ${title}` }}
            size="sm"
            min={0}
            max={0.99}
            step={0.01}
            value={smoothing}
            onChange={onSmoothing}
            label={null}
          />
          <p className="chart-option-help">
            Weight of the past. Raw values stay visible, tables and files are never smoothed.
          </p>
          <div className="chart-option-row">
            <Button
              size="compact-sm"
              variant="default"
              disabled={onTable === null}
              onClick={() => {
                setIsOpen(false);
                onTable?.();
              }}
            >
              View as table
            </Button>
            <Button size="compact-sm" variant="default" disabled={onTable === null} onClick={onDownload}>
              Download CSV
            </Button>
            {hasOwn && (
              <Button size="compact-sm" variant="default" onClick={onReset}>
                As on the page
              </Button>
            )}
          </div>
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}
