import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { PromptItem } from "./PromptItem.tsx";
import type { PromptRow } from "./promptRows.ts";

/** Height of a row that was not measured yet. */
const usualHeight = 118;

/** Rows that Page Up and Page Down skip. */
const pageStep = 10;

/** The prompts that are in view; the arrow keys go from row to row. */
export function PromptList({ rows }: { readonly rows: readonly PromptRow[] }) {
  const box = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const [active, setActive] = useState(0);
  const isFocusMoving = useRef(false);
  const list = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => usualHeight,
    getItemKey: (index) => rows[index]?.place ?? index,
    overscan: 4,
  });
  const items = list.getVirtualItems();
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
    const next = nextRow(event.key, active, rows.length);
    if (next === null) return;
    event.preventDefault();
    isFocusMoving.current = true;
    setActive(next);
    list.scrollToIndex(next);
  };
  const toggle = (index: number, place: number) => {
    const others = new Set(open);
    if (!others.delete(place)) others.add(place);
    setOpen(others);
    setActive(index);
  };
  // The row that Tab leads to must be one that is drawn.
  const reachable = items.some(({ index }) => index === active) ? active : items[0]?.index;
  return (
    <div
      ref={box}
      className="prompt-box"
      role="grid"
      aria-label="Prompts of the round"
      aria-rowcount={rows.length + 1}
      onKeyDown={move}
    >
      <div role="rowgroup" className="prompt-head">
        <div role="row" aria-rowindex={1}>
          {["Row", "Prompt", "Before", "Now", "Score"].map((name) => (
            <span key={name} role="columnheader">
              {name}
            </span>
          ))}
        </div>
      </div>
      <div role="rowgroup" className="prompt-sizer" style={{ height: list.getTotalSize() }}>
        {items.map(({ index, start, key }) => {
          const row = rows[index];
          if (row === undefined) return null;
          return (
            <div
              key={key}
              ref={list.measureElement}
              data-index={index}
              className="prompt-slot"
              role="presentation"
              style={{ transform: `translateY(${start}px)` }}
            >
              <PromptItem
                index={index}
                row={row}
                isOpen={open.has(row.place)}
                isReachable={index === reachable}
                onToggle={() => toggle(index, row.place)}
              />
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** The row that a key leads to; null for keys that lead nowhere. */
function nextRow(key: string, from: number, count: number): number | null {
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
