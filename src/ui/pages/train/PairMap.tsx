import { useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useEffect, useMemo, useState } from "react";
import type { SeriesPoint } from "../../../state/series.ts";
import type { ProbePoints } from "../../../worker/protocol.ts";
import { TableToggle } from "../../components/TableToggle.tsx";
import { Panel } from "../../components/Panel.tsx";
import { formatValue } from "../../format.ts";
import { PairMapCanvas } from "./PairMapCanvas.tsx";
import { mapMargins, PairMapFrame, PairMapNotes } from "./PairMapFrame.tsx";
import { cornerCounts, farthestOf, leastMove, meansOf, pairsByMargin, rangeFor } from "./PairMapGeometry.ts";
import type { PairMeans, PairPoint } from "./PairMapGeometry.ts";
import { PairMapSurface } from "./PairMapSurface.tsx";
import { PairMapTable } from "./PairMapTable.tsx";
import "../../charts/charts.css";
import "./PairMap.css";

/** The pairs at one evaluation. */
export interface PairMapMoment {
  readonly step: number;
  readonly points: ProbePoints;
}

/** What the Pair Map shows. */
export interface PairMapProps {
  /** Differences to the reference of every held-out pair; null before the first evaluation. */
  readonly points: ProbePoints | null;
  /** Means of the pairs at each evaluation, from the first to now. */
  readonly trail: readonly SeriesPoint[];
  /** Turns a margin into a reward where the method counts from the reference. */
  readonly beta: number;
  /** What the differences are measured from. */
  readonly axesFrom: "reference" | "step-0";
  readonly selected: number | null;
  readonly onSelect: (pairIndex: number | null) => void;
  /** Hears which pair is under the pointer or in focus. */
  readonly onPoint?: (pairIndex: number | null) => void;
  /** Earlier evaluations to scrub through, with the newest last; the trail has one point for each. */
  readonly history?: readonly PairMapMoment[];
}

/** Largest and smallest side of the square, in pixels. */
const sides = { least: 180, most: 460 } as const;
const nothing: ProbePoints = {
  pairIndex: new Int32Array(),
  chosenDelta: new Float32Array(),
  rejectedDelta: new Float32Array(),
};

/** A dot for every held-out pair: right is chosen up, up is rejected up, and below the diagonal chosen wins. */
export function PairMap(props: PairMapProps) {
  const { axesFrom, selected, onSelect, onPoint, history = [] } = props;
  const [isTable, setIsTable] = useState(false);
  const [moment, setMoment] = useState<number | null>(null);
  const scrubbed = moment === null ? undefined : history[moment];
  const points = scrubbed?.points ?? props.points ?? nothing;
  const trail = scrubbed === undefined || moment === null ? props.trail : props.trail.slice(0, moment + 1);
  const pairs = useMemo(() => pairsByMargin(points), [points]);
  const means = useMemo(() => meansOf(pairs), [pairs]);
  const missing = points.pairIndex.length - pairs.length;
  return (
    <Panel
      title="Pair Map"
      className="pairmap"
      aside={
        <>
          <span className="pairmap-from">
            from {axesFrom === "reference" ? "the reference" : "the model at step 0"}
          </span>
          <TableToggle
            label={`Pair Map as a ${isTable ? "map" : "table"}`}
            isTable={isTable}
            onChange={setIsTable}
            isDisabled={pairs.length === 0}
          />
        </>
      }
    >
      {isTable ? (
        <PairMapTable pairs={pairs} selected={selected} onSelect={onSelect} />
      ) : (
        <MapView {...{ pairs, trail, means, axesFrom, selected, onSelect, onPoint }} />
      )}
      {history.length > 1 && <Scrubber history={history} moment={moment} onMoment={setMoment} />}
      <Legend {...props} pairs={pairs} means={means} missing={missing} />
    </Panel>
  );
}

type MapViewProps = Pick<PairMapProps, "trail" | "axesFrom" | "selected" | "onSelect"> & {
  readonly onPoint: PairMapProps["onPoint"];
  readonly pairs: readonly PairPoint[];
  readonly means: PairMeans;
};

function MapView({ pairs, trail, means, axesFrom, selected, onSelect, onPoint }: MapViewProps) {
  const { ref, width } = useElementSize();
  const [focusedIndex, setFocusedIndex] = useState<number | null>(null);
  const range = useSteadyRange(pairs);
  const scheme = useComputedColorScheme("light");
  const counts = useMemo(() => cornerCounts(pairs), [pairs]);
  const side = Math.min(Math.max(width - mapMargins.left - mapMargins.right, sides.least), sides.most);
  const find = (index: number | null) => pairs.find(({ pairIndex }) => pairIndex === index) ?? null;
  const focused = find(focusedIndex);
  const pointedIndex = focused?.pairIndex ?? null;
  useEffect(() => {
    onPoint?.(pointedIndex);
    return () => onPoint?.(null);
  }, [onPoint, pointedIndex]);
  const isAtOrigin = pairs.length > 0 && farthestOf(pairs) < leastMove;
  return (
    <div className="pairmap-room" ref={ref} style={{ minHeight: mapMargins.top + side + mapMargins.bottom }}>
      {width > 0 && (
        <div
          className="pairmap-map"
          style={{
            width: mapMargins.left + side + mapMargins.right,
            height: mapMargins.top + side + mapMargins.bottom,
          }}
        >
          <PairMapFrame pairs={pairs} range={range} side={side} />
          <div className="pairmap-dots" style={{ left: mapMargins.left, top: mapMargins.top }}>
            {/* A canvas reads its colours when it is drawn, so another scheme needs another canvas. */}
            <PairMapCanvas key={scheme} pairs={pairs} range={range} side={side} />
          </div>
          <PairMapNotes
            {...{ range, side, trail, counts, focused }}
            selected={find(selected)}
            originNote={isAtOrigin ? originNote(pairs.length, axesFrom) : null}
          />
          {pairs.length === 0 ? (
            <p className="pairmap-empty">Dots appear when the held-out pairs have been scored.</p>
          ) : (
            <PairMapSurface
              {...{ pairs, range, side, focused, selected, onSelect }}
              label={`Pair Map: ${summary(pairs.length, means)}`}
              onFocus={setFocusedIndex}
            />
          )}
        </div>
      )}
    </div>
  );
}

/** The range of the map; it remembers what was shown so that it grows in steps and does not jitter. */
function useSteadyRange(pairs: readonly PairPoint[]): number {
  const farthest = useMemo(() => farthestOf(pairs), [pairs]);
  const [shown, setShown] = useState(1);
  const range = rangeFor(farthest, shown);
  if (range !== shown) setShown(range);
  return range;
}

function originNote(count: number, axesFrom: PairMapProps["axesFrom"]): string {
  const what = axesFrom === "reference" ? "model = reference" : "where the model started";
  return `${count} ${count === 1 ? "pair" : "pairs"}: ${what}`;
}

function summary(count: number, { chosenDelta, rejectedDelta, wins }: PairMeans): string {
  return (
    `chosen gained on rejected in ${wins} of ${count} pairs; on average chosen moved by ` +
    `${formatValue(chosenDelta)} and rejected by ${formatValue(rejectedDelta)}`
  );
}

interface ScrubberProps {
  readonly history: readonly PairMapMoment[];
  readonly moment: number | null;
  readonly onMoment: (moment: number | null) => void;
}

function Scrubber({ history, moment, onMoment }: ScrubberProps) {
  const newest = history.length - 1;
  const shown = Math.min(moment ?? newest, newest);
  const step = history[shown]?.step ?? 0;
  return (
    <label className="pairmap-scrubber">
      <span>{moment === null ? `now, step ${step}` : `back at step ${step}`}</span>
      <input
        type="range"
        min={0}
        max={newest}
        step={1}
        value={shown}
        aria-valuetext={`step ${step}`}
        onChange={(event) => {
          const wanted = Number(event.currentTarget.value);
          onMoment(wanted === newest ? null : wanted);
        }}
      />
    </label>
  );
}

type LegendProps = Pick<PairMapProps, "beta" | "axesFrom"> & {
  readonly pairs: readonly PairPoint[];
  readonly means: PairMeans;
  readonly missing: number;
};

function Legend({ pairs, means, missing, beta, axesFrom }: LegendProps) {
  const margin = means.chosenDelta - means.rejectedDelta;
  const known = (text: string) => (pairs.length === 0 ? "–" : text);
  return (
    <div className="pairmap-legend">
      <span>
        <i className="pairmap-key-won" /> chosen ahead <b>{known(formatValue(means.wins))}</b>
      </span>
      <span>
        <i className="pairmap-key-lost" /> rejected ahead <b>{known(formatValue(means.losses))}</b>
      </span>
      <span>
        <i className="pairmap-key-mean" /> mean margin <b>{known(formatValue(margin))}</b>
        {axesFrom === "reference" && <> · reward {known(formatValue(beta * margin))}</>}
      </span>
      {missing > 0 && (
        <span>
          <i className="pairmap-key-missing">✕</i> not a number <b>{missing}</b>
        </span>
      )}
    </div>
  );
}
