import { useEffect } from "react";
import { giveVerdict, undoVerdict } from "../../../state/annotation.ts";
import type { Verdict } from "../../../state/annotationRules.ts";
import { useViewStore } from "../../../state/viewStore.ts";

/** Where keys mean something else. */
const ownKeys =
  "input, textarea, select, [contenteditable=true], [role=tab], [role=slider], [role=radio], [role=dialog]";

const verdictKeys: Readonly<Record<string, Verdict>> = {
  "1": "a",
  ArrowLeft: "a",
  "2": "b",
  ArrowRight: "b",
  "0": "tie",
  x: "bad",
};

/** 1 or ← and 2 or → choose, 0 is a tie, x means both bad, u takes back; never while somebody types. */
export function useVerdictKeys(): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return;
      if (!useViewStore.getState().areLettersOn && event.key.length === 1) return;
      if (useViewStore.getState().layer !== null) return;
      if (event.target instanceof Element && event.target.closest(ownKeys) !== null) return;
      const verdict = verdictKeys[event.key];
      if (verdict === undefined && event.key !== "u") return;
      event.preventDefault();
      if (verdict === undefined) undoVerdict();
      else giveVerdict(verdict);
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);
}
