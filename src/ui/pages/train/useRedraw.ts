import { useEffect, useState } from "react";
import { flushSync } from "react-dom";
import { useRunStore } from "../../../state/runStore.ts";
import { useViewStore } from "../../../state/viewStore.ts";
import { RedrawPace } from "./redrawPace.ts";

const pace = new RedrawPace();

/** Charts take turns, so that a refresh is several short tasks rather than one long one. */
const turnMs = 60;

/**
 * The version of the history that a plot should draw now: at most two a second, fewer where drawing is dear, none while drawing is paused
 * or the page is hidden. `turn` staggers the plots of a page.
 */
export function useRedraw(turn: number): number {
  const [drawn, setDrawn] = useState(() => useRunStore.getState().version);
  const isPaused = useViewStore((state) => state.isDrawingPaused);
  useEffect(() => {
    if (isPaused) return;
    const leave = pace.join();
    let timer: ReturnType<typeof setTimeout> | null = null;
    let drawnAt = -Infinity;
    const draw = () => {
      timer = null;
      if (document.hidden) return;
      drawnAt = performance.now();
      // Drawn at once, so that what it cost can be measured.
      flushSync(() => {
        setDrawn(useRunStore.getState().version);
      });
      pace.observe(performance.now() - drawnAt);
    };
    const schedule = () => {
      timer ??= setTimeout(draw, Math.max(turn * turnMs, drawnAt + pace.gapMs() - performance.now()));
    };
    schedule();
    const unsubscribe = useRunStore.subscribe((state, previous) => {
      if (state.version !== previous.version) schedule();
    });
    document.addEventListener("visibilitychange", schedule);
    return () => {
      leave();
      if (timer !== null) clearTimeout(timer);
      unsubscribe();
      document.removeEventListener("visibilitychange", schedule);
    };
  }, [isPaused, turn]);
  return drawn;
}
