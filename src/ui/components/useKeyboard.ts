import { useEffect } from "react";
import { pause, restart, resume, step, train } from "../../state/actions.ts";
import { goTo } from "../../state/navigation.ts";
import { usePlaceStore } from "../../state/place.ts";
import { useRunStore } from "../../state/runStore.ts";
import { openLayer, useViewStore } from "../../state/viewStore.ts";

/** Elements that use Space and Enter themselves. */
const ownSpace =
  "button, a, input, textarea, select, summary, [role=slider], [role=radio], [role=tab], [tabindex='0']";
const typing = "input, textarea, select, [contenteditable=true]";

/** The studio's keys; they never fire while somebody types or a dialog is open. */
export function useKeyboard(): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const target = event.target instanceof Element ? event.target : null;
      if (target?.closest("[role=dialog]")) return;
      if (event.key === "Escape") unpin();
      else if (event.key === " " && !target?.closest(ownSpace) && isOnTrain()) {
        event.preventDefault();
        trainOrPause();
      } else if (!target?.closest(typing) && useViewStore.getState().areLettersOn) pressLetter(event);
    };
    window.addEventListener("keydown", press);
    return () => {
      window.removeEventListener("keydown", press);
    };
  }, []);
}

/** Longest wait between `g` and the letter of a screen. */
const leadMs = 1500;
let ledAt = -Infinity;

/** The second letter after `g`; true when it led somewhere. */
function goByLetter(event: KeyboardEvent): boolean {
  const isLed = event.timeStamp - ledAt < leadMs;
  ledAt = event.key === "g" ? event.timeStamp : -Infinity;
  const screen = ({ t: "train", o: "online", d: "data", f: "features", m: "models" } as const)[event.key];
  if (!isLed || screen === undefined) return false;
  goTo({ screen });
  return true;
}

function pressLetter(event: KeyboardEvent): void {
  if (goByLetter(event)) return;
  // A run is started and stopped where it is seen.
  const runLetters = { s: () => void step(), r: () => void restart() };
  const letters: Record<string, () => void> = {
    ...(isOnTrain() ? runLetters : {}),
    l: () => {
      useViewStore.setState(({ isLogOpen }) => ({ isLogOpen: !isLogOpen }));
    },
    ".": () => {
      useViewStore.setState(({ isDrawingPaused }) => ({ isDrawingPaused: !isDrawingPaused }));
    },
    "?": () => {
      openLayer("shortcuts");
    },
  };
  const action = letters[event.key];
  if (action === undefined || event.repeat) return;
  event.preventDefault();
  action();
}

function isOnTrain(): boolean {
  return usePlaceStore.getState().screen === "train";
}

function trainOrPause(): void {
  const { phase } = useRunStore.getState();
  if (["training", "evaluating", "generating", "judging"].includes(phase)) void pause();
  else if (phase === "paused") void resume();
  else if (phase === "ready" || phase === "done" || phase === "stopped") void train();
}

function unpin(): void {
  useViewStore.setState({ selectedPair: null, hoveredX: null, zoom: null });
}
