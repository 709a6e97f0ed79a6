import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState, type CSSProperties, type KeyboardEvent, type ReactNode } from "react";
import { formatCount } from "../format.ts";
import { Icon } from "./Icon.tsx";
import "./rowGrid.css";

/** Rows that Page Up and Page Down skip. */
const pageStep = 10;

/** How a row stands in its grid. */
export interface RowState {
  /** Place in the list, from 0 on. */
  readonly index: number;
  readonly isOpen: boolean;
  /** The one row that Tab leads to. */
  readonly isReachable: boolean;
  readonly onToggle: () => void;
}

interface RowGridProps {
  readonly label: string;
  readonly columns: readonly string[];
  /** Widths of the columns, as CSS has them. */
  readonly widths: string;
  readonly count: number;
  /** Height of a row that was not measured yet, in pixels. */
  readonly usualHeight: number;
  /** Rows that are drawn beyond those in view. */
  readonly overscan: number;
  /** What tells a row from others wherever it stands; its place when left out. */
  readonly keyOf?: (index: number) => number;
  /** Told of the first and the last row that are drawn. */
  readonly onView?: (first: number, last: number) => void;
  readonly renderRow: (state: RowState) => ReactNode;
}

/** Many rows of unequal heights, of which those in view are drawn; the arrow keys go from row to row, and a row opens. */
export function RowGrid(props: RowGridProps) {
  const { label, columns, widths, count, usualHeight, overscan, keyOf = ownPlace, onView, renderRow } = props;
  const box = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const [active, setActive] = useState(0);
  const isFocusMoving = useRef(false);
  const list = useVirtualizer({
    count,
    getScrollElement: () => box.current,
    estimateSize: () => usualHeight,
    getItemKey: keyOf,
    overscan,
  });
  const items = list.getVirtualItems();
  const [first, last] = [items[0]?.index ?? 0, items.at(-1)?.index ?? 0];
  useEffect(() => onView?.(first, last), [first, last, onView]);
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
    const next = nextPlace(event.key, active, count);
    if (next === null) return;
    event.preventDefault();
    isFocusMoving.current = true;
    setActive(next);
    list.scrollToIndex(next);
  };
  const toggle = (index: number) => {
    const others = new Set(open);
    const key = keyOf(index);
    if (!others.delete(key)) others.add(key);
    setOpen(others);
    setActive(index);
  };
  // The row that Tab leads to must be one that is drawn.
  const reachable = items.some(({ index }) => index === active) ? active : first;
  return (
    <div
      ref={box}
      className="row-grid"
      style={{ "--row-columns": widths } as CSSProperties}
      role="grid"
      aria-label={label}
      aria-rowcount={count + 1}
      onKeyDown={move}
    >
      <div role="rowgroup" className="row-head">
        <div role="row" aria-rowindex={1}>
          {columns.map((name) => (
            <span key={name} role="columnheader">
              {name}
            </span>
          ))}
        </div>
      </div>
      <div role="rowgroup" className="row-sizer" style={{ height: list.getTotalSize() }}>
        {items.map(({ index, start, key }) => (
          <div
            key={key}
            ref={list.measureElement}
            data-index={index}
            className="row-slot"
            role="presentation"
            style={{ transform: `translateY(${start}px)` }}
          >
            {renderRow({
              index,
              isOpen: open.has(keyOf(index)),
              isReachable: index === reachable,
              onToggle: () => toggle(index),
            })}
          </div>
        ))}
      </div>
    </div>
  );
}

function ownPlace(index: number): number {
  return index;
}

interface RowButtonProps extends RowState {
  /** What the row is, such as `Row`. */
  readonly name: string;
  /** The number it goes by, from 1 on. */
  readonly number: number;
}

/** The button that opens a row, and that the arrow keys go to. */
export function RowButton({ name, number, index, isOpen, isReachable, onToggle }: RowButtonProps) {
  return (
    <button
      type="button"
      className="row-button"
      data-place={index}
      aria-expanded={isOpen}
      aria-label={`${name} ${number}, ${isOpen ? "show less" : "show all of it"}`}
      tabIndex={isReachable ? 0 : -1}
      onClick={onToggle}
    >
      <Icon name="chevron" size={14} />
      {formatCount(number)}
    </button>
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
