/** What is open, hovered and paused on the screen; nothing here changes a run. */
import { create } from "zustand";

/** Dialogs and sheets, of which at most one is open. */
export type Layer =
  | "share"
  | "shortcuts"
  | "device"
  | "settings"
  | "explain"
  | "changes"
  | "rows"
  | "formats"
  | "restart"
  | "export"
  | null;

interface ViewState {
  readonly layer: Layer;
  readonly isDrawingPaused: boolean;
  readonly isLogOpen: boolean;
  /** Single-letter keys work. */
  readonly areLettersOn: boolean;
  /** Where every chart draws its crosshair, in units of the axis. */
  readonly hoveredX: number | null;
  /** The part of the axis that every chart shows; null shows all and follows the newest step. */
  readonly zoom: readonly [number, number] | null;
  readonly selectedPair: number | null;
  /** Which of the two maps is shown. */
  readonly hero: "pairs" | "loss";
  readonly smoothing: number;
  readonly scale: "linear" | "symlog";
  readonly axis: "steps" | "seconds";
}

/** The screen's own state. */
export const useViewStore = create<ViewState>(() => ({
  layer: null,
  isDrawingPaused: false,
  isLogOpen: false,
  areLettersOn: true,
  hoveredX: null,
  zoom: null,
  selectedPair: null,
  hero: "pairs",
  smoothing: 0.6,
  scale: "symlog",
  axis: "steps",
}));

/** Opens a dialog or sheet in place of the one that is open; null closes it. */
export function openLayer(layer: Layer): void {
  useViewStore.setState({ layer });
}
