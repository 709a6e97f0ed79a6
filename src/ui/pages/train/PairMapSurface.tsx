import { useId, useState } from "react";
import { formatValue } from "../../format.ts";
import { mapMargins } from "./PairMapFrame.tsx";
import { mapPixel, pairAt, type PairPoint } from "./PairMapGeometry.ts";

/** What takes pointer and keys over the map. */
export interface PairMapSurfaceProps {
  /** From the lowest margin to the highest. */
  readonly pairs: readonly PairPoint[];
  readonly range: number;
  readonly side: number;
  readonly label: string;
  readonly focused: PairPoint | null;
  readonly onFocus: (pairIndex: number | null) => void;
  readonly selected: number | null;
  readonly onSelect: (pairIndex: number | null) => void;
}

/** How near the pointer must be to a dot, in pixels. */
const reach = 16;

/** Pointer and keys over the dots: pointing shows a pair, arrows walk by margin, a click or Enter selects. */
export function PairMapSurface(props: PairMapSurfaceProps) {
  const { pairs, range, side, label, focused, onFocus, selected, onSelect } = props;
  const [spoken, setSpoken] = useState("");
  const hintId = useId();
  const rank = focused === null ? -1 : pairs.indexOf(focused);
  const select = (pair: PairPoint | null) => {
    if (pair === null) return;
    const isSelected = pair.pairIndex === selected;
    setSpoken(`Pair ${pair.pairIndex + 1} ${isSelected ? "is no longer selected" : "selected"}`);
    onSelect(isSelected ? null : pair.pairIndex);
  };
  const walk = (key: string, isFast: boolean): boolean => {
    if (key === "Enter" || key === " ") select(focused);
    else if (key === "Escape" && focused !== null) onFocus(null);
    else {
      const next = nextRank(key, { rank, count: pairs.length, jump: isFast ? 10 : 1 });
      if (next === undefined) return false;
      onFocus(pairs[next]?.pairIndex ?? null);
    }
    return true;
  };
  return (
    <>
      <div
        className="chart-surface"
        style={{ left: mapMargins.left, top: mapMargins.top, width: side, height: side }}
        role="slider"
        tabIndex={0}
        aria-label={label}
        aria-describedby={hintId}
        aria-valuemin={1}
        aria-valuemax={Math.max(pairs.length, 1)}
        aria-valuenow={Math.max(rank + 1, 1)}
        aria-valuetext={focused === null ? "no pair in focus" : pairInWords(focused, rank, pairs.length)}
        data-testid="pair-map"
        onPointerMove={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          const pixel = { x: event.clientX - box.left, y: event.clientY - box.top };
          onFocus(pairAt(pairs, pixel, { range, side, reach })?.pairIndex ?? null);
        }}
        onPointerLeave={() => onFocus(null)}
        onClick={() => select(focused)}
        onBlur={() => onFocus(null)}
        onKeyDown={(event) => {
          if (walk(event.key, event.shiftKey)) event.preventDefault();
        }}
      />
      {focused !== null && <PairReadOut pair={focused} range={range} side={side} />}
      <p className="chart-spoken" id={hintId}>
        Arrow keys walk the pairs by margin, Enter selects one.
      </p>
      <p className="chart-spoken" aria-live="polite">
        {spoken}
      </p>
    </>
  );
}

function nextRank(
  key: string,
  { rank, count, jump }: { readonly rank: number; readonly count: number; readonly jump: number },
): number | undefined {
  const from = rank === -1 ? Math.floor(count / 2) : rank;
  const targets: Record<string, number> = {
    ArrowLeft: from - jump,
    ArrowDown: from - jump,
    ArrowRight: from + jump,
    ArrowUp: from + jump,
    Home: 0,
    End: count - 1,
  };
  const target = targets[key];
  return target === undefined ? undefined : Math.min(Math.max(target, 0), count - 1);
}

/** A pair as a screen reader speaks it. */
export function pairInWords(pair: PairPoint, rank: number, count: number): string {
  const { pairIndex, chosenDelta, rejectedDelta, margin } = pair;
  return [
    `Pair ${pairIndex + 1}, ${rank + 1} of ${count} by margin`,
    `margin ${formatValue(margin)}`,
    `chosen ${formatValue(chosenDelta)}`,
    `rejected ${formatValue(rejectedDelta)}`,
  ].join(", ");
}

function PairReadOut({
  pair,
  range,
  side,
}: Pick<PairMapSurfaceProps, "range" | "side"> & { pair: PairPoint }) {
  const { x, y } = mapPixel(pair.chosenDelta, pair.rejectedDelta, range, side);
  const across =
    x > side / 2 ? { right: side - x + mapMargins.right + 12 } : { left: x + mapMargins.left + 12 };
  const along = y > side / 2 ? { bottom: side - y + mapMargins.bottom + 6 } : { top: y + mapMargins.top + 6 };
  return (
    <div className="chart-readout" style={{ ...across, ...along }} aria-hidden="true">
      <table>
        <thead>
          <tr>
            <th scope="col" colSpan={2}>
              Pair {pair.pairIndex + 1}
            </th>
          </tr>
        </thead>
        <tbody>
          <ReadOutRow name="margin" value={pair.margin} />
          <ReadOutRow name="Δ chosen" value={pair.chosenDelta} />
          <ReadOutRow name="Δ rejected" value={pair.rejectedDelta} />
        </tbody>
      </table>
    </div>
  );
}

function ReadOutRow({ name, value }: { readonly name: string; readonly value: number }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>
        {value > 0 ? "+" : ""}
        {formatValue(value)}
      </td>
    </tr>
  );
}
