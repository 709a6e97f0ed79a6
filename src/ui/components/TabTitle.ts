import { useEffect } from "react";
import { useShallow } from "zustand/react/shallow";
import { useRunStore } from "../../state/runStore.ts";
import { useSetupStore } from "../../state/setupStore.ts";
import { formatShare, formatValue } from "../format.ts";

/** Long enough to skip the steps in between. */
const settleMs = 400;

/** Carries the state of the run in the title of the tab; a part of its own, so that nothing else redraws with it. */
export function TabTitle(): null {
  const { phase, step, latest } = useRunStore(
    useShallow(({ phase: present, pointsStep, step: now, latestEvaluation }) => ({
      phase: present,
      // The title follows evaluations while a run goes on, so that it changes now and then only.
      step: present === "training" || present === "evaluating" ? pointsStep : now,
      latest: latestEvaluation,
    })),
  );
  const steps = useSetupStore((state) => state.runningConfig?.steps ?? 0);
  const signs: Partial<Record<typeof phase, string>> = {
    training: "▶",
    evaluating: "▶",
    paused: "⏸",
    done: "✓",
    failed: "!",
  };
  const sign = signs[phase];
  const margin = latest["eval_rewards/margins"];
  const share = steps > 0 ? formatShare(step / steps) : "";
  const parts =
    sign === undefined ? [] : [sign, share, margin === undefined ? "" : `margin ${formatValue(margin)}`];
  const title = [parts.filter((part) => part !== "").join(" "), "Prefscope"]
    .filter((part) => part !== "")
    .join(" · ");
  useEffect(() => {
    // Browsers redraw their tab strip for every title.
    const timer = setTimeout(() => {
      document.title = title;
    }, settleMs);
    return () => {
      clearTimeout(timer);
    };
  }, [title]);
  return null;
}
