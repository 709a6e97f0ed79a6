import { useEffect, useState } from "react";
import { useRunStore } from "../../../state/runStore.ts";
import { useViewStore } from "../../../state/viewStore.ts";

/** Plots are drawn at most twice a second. */
const leastGapMs = 500;
/** Charts take turns, so that a refresh is several short tasks rather than one long one. */
const turnMs = 60;

/**
 * The version of the history that a plot should draw now: at most two a second, none while drawing is paused
 * or the page is hidden. `turn` staggers the plots of a page.
 */
export function useRedraw(turn: number): number {
  const [drawn, setDrawn] = useState(() => useRunStore.getState().version);
  const isPaused = useViewStore((state) => state.isDrawingPaused);
  useEffect(() => {
    if (isPaused) return;
    let timer: ReturnType<typeof setTimeout> | null = null;
    let drawnAt = -Infinity;
    const draw = () => {
      timer = null;
      if (document.hidden) return;
      drawnAt = performance.now();
      setDrawn(useRunStore.getState().version);
    };
    const schedule = () => {
      timer ??= setTimeout(draw, Math.max(turn * turnMs, drawnAt + leastGapMs - performance.now()));
    };
    schedule();
    const unsubscribe = useRunStore.subscribe((state, previous) => {
      if (state.version !== previous.version) schedule();
    });
    document.addEventListener("visibilitychange", schedule);
    return () => {
      if (timer !== null) clearTimeout(timer);
      unsubscribe();
      document.removeEventListener("visibilitychange", schedule);
    };
  }, [isPaused, turn]);
  return drawn;
}
