import { useCallback, useMemo, useState } from "react";
import type { ChartScale, MetricChartProps } from "./chartTypes.ts";
import { logRefusal } from "./scales.ts";

/** Scale and smoothing of one chart, and how to change them. */
export interface ChartSettings {
  readonly scale: ChartScale;
  readonly onScale: (scale: ChartScale) => void;
  /** Why a plain log scale cannot be chosen; null when it can. */
  readonly logRefusal: string | null;
  /** Weight of the past, in [0, 1). */
  readonly smoothing: number;
  readonly onSmoothing: (smoothing: number) => void;
  /** Whether the chart has left the page's settings. */
  readonly hasOwn: boolean;
  /** Takes the page's settings again. */
  readonly onReset: () => void;
}

/** Scale and smoothing of the page, unless this chart has its own. */
export function useChartSettings(
  props: Pick<MetricChartProps, "scale" | "smoothing" | "series" | "xLabel">,
): ChartSettings {
  const { scale, smoothing, series, xLabel } = props;
  const [ownScale, onScale] = useState<ChartScale | null>(null);
  const [ownSmoothing, onSmoothing] = useState<number | null>(null);
  const refusal = useMemo(() => logRefusal(series, xLabel), [series, xLabel]);
  const onReset = useCallback(() => {
    onScale(null);
    onSmoothing(null);
  }, []);
  return useMemo(() => {
    const wanted = ownScale ?? scale;
    return {
      // A value that log cannot show may arrive after log was chosen.
      scale: wanted === "log" && refusal !== null ? "symlog" : wanted,
      onScale,
      logRefusal: refusal,
      smoothing: ownSmoothing ?? smoothing,
      onSmoothing,
      hasOwn: ownScale !== null || ownSmoothing !== null,
      onReset,
    };
  }, [ownScale, ownSmoothing, scale, smoothing, refusal, onReset]);
}
