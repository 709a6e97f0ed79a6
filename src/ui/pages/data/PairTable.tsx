import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { needRows, useRowsStore } from "../../../state/dataRows.ts";
import { PairRow } from "./PairRow.tsx";
import { useLoadedData } from "./useLoadedData.ts";

/** Height of a row that was not measured yet. */
const usualHeight = 74;

/** Rows that Page Up and Page Down skip. */
const pageStep = 10;

/** The pairs that are in view; the arrow keys go from row to row. */
export function PairTable({ matches }: { readonly matches: number }) {
  const { key } = useLoadedData();
  const rows = useRowsStore((state) => state.rows);
  const box = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const [active, setActive] = useState(0);
  const isFocusMoving = useRef(false);
  const list = useVirtualizer({
    count: matches,
    getScrollElement: () => box.current,
    estimateSize: () => usualHeight,
    overscan: 6,
  });
  const items = list.getVirtualItems();
  const [first, last] = [items[0]?.index ?? 0, items.at(-1)?.index ?? 0];
  useEffect(() => needRows(first, last), [first, last, key]);
  useEffect(() => {
    if (!isFocusMoving.current) return;
    const button = box.current?.querySelector<HTMLElement>(`[data-place="${active}"]`);
    if (button) {
      isFocusMoving.current = false;
      button.focus();
    }
  });
  const move = (event: KeyboardEvent) => {
    if (!(event.target as Element).matches("[data-place]")) return;
    const next = nextPlace(event.key, active, matches);
    if (next === null) return;
    event.preventDefault();
    isFocusMoving.current = true;
    setActive(next);
    list.scrollToIndex(next);
  };
  const toggle = (place: number) => {
    const others = new Set(open);
    if (!others.delete(place)) others.add(place);
    setOpen(others);
    setActive(place);
  };
  // The row that Tab leads to must be one that is drawn.
  const reachable = items.some(({ index }) => index === active) ? active : first;
  return (
    <div
      ref={box}
      className="pair-box"
      role="grid"
      aria-label="Pairs"
      aria-rowcount={matches + 1}
      onKeyDown={move}
    >
      <div role="rowgroup" className="pair-head">
        <div role="row" aria-rowindex={1}>
          {["Row", "Prompt", "Chosen", "Rejected", "Tokens, gap"].map((name) => (
            <span key={name} role="columnheader">
              {name}
            </span>
          ))}
        </div>
      </div>
      <div role="rowgroup" className="pair-sizer" style={{ height: list.getTotalSize() }}>
        {items.map(({ index, start }) => (
          <div
            key={index}
            ref={list.measureElement}
            data-index={index}
            className="pair-slot"
            role="presentation"
            style={{ transform: `translateY(${start}px)` }}
          >
            <PairRow
              place={index}
              row={rows.get(index) ?? null}
              isOpen={open.has(index)}
              isReachable={index === reachable}
              onToggle={() => toggle(index)}
            />
          </div>
        ))}
      </div>
    </div>
  );
}

/** The row that a key leads to; null for keys that lead nowhere. */
function nextPlace(key: string, from: number, count: number): number | null {
  const places: Record<string, number> = {
    ArrowDown: from + 1,
    ArrowUp: from - 1,
    PageDown: from + pageStep,
    PageUp: from - pageStep,
    Home: 0,
    End: count - 1,
  };
  const next = places[key];
  return next === undefined ? null : Math.min(Math.max(next, 0), count - 1);
}
