import { useEffect } from "react";
import { chooseAnswer, chooseNone, undoChoice } from "../../../state/judgement.ts";
import { useViewStore } from "../../../state/viewStore.ts";

/** Where keys mean something else. */
const ownKeys = "input, textarea, select, [contenteditable=true], [role=slider], [role=radio], [role=dialog]";

/** 1 to 9 choose an answer, 0 says that they are equal, u takes back; never while somebody types. */
export function useJudgementKeys(): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return;
      if (!useViewStore.getState().areLettersOn || useViewStore.getState().layer !== null) return;
      if (event.target instanceof Element && event.target.closest(ownKeys) !== null) return;
      if (!/^[0-9u]$/.test(event.key)) return;
      event.preventDefault();
      if (event.key === "u") undoChoice();
      else if (event.key === "0") chooseNone();
      else chooseAnswer(Number(event.key) - 1);
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);
}
