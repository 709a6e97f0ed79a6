import { useEffect } from "react";
import { useRunStore } from "../../state/runStore.ts";
import { useSetupStore } from "../../state/setupStore.ts";
import { formatShare, formatValue } from "../format.ts";

/** Carries the state of the run in the title of the tab. */
export function useTabTitle(): void {
  const { phase, step, latest } = useRunStore();
  const steps = useSetupStore((state) => state.runningConfig?.steps ?? 0);
  const signs: Partial<Record<typeof phase, string>> = {
    training: "▶",
    evaluating: "▶",
    paused: "⏸",
    done: "✓",
    failed: "!",
  };
  const sign = signs[phase];
  const margin = latest["rewards/margins"];
  const share = steps > 0 ? formatShare(step / steps) : "";
  const parts =
    sign === undefined ? [] : [sign, share, margin === undefined ? "" : `margin ${formatValue(margin)}`];
  const title = [parts.filter((part) => part !== "").join(" "), "Prefscope"]
    .filter((part) => part !== "")
    .join(" · ");
  useEffect(() => {
    document.title = title;
  }, [title]);
}
