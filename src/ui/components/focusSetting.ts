import type { RunConfig } from "../../engine/training/config.ts";
import { openTab } from "../../state/navigation.ts";
import type { OnlineTab } from "../../state/place.ts";
import { openLayer } from "../../state/viewStore.ts";

/** Settings that only the Online screen has, by its tab. */
const onlineTabs: Partial<Record<keyof RunConfig, OnlineTab>> = {
  onlinePrompts: "rounds",
  firstPairs: "rounds",
  selection: "rounds",
  rankingKey: "rounds",
  hasPromptBaseline: "rounds",
  answersPerPrompt: "rounds",
  answerTemperature: "rounds",
  answerTopP: "rounds",
  onlineReference: "rounds",
  declineRounds: "rounds",
  onJudgeFailure: "rounds",
  judges: "judges",
  heldoutJudge: "judges",
};

/** Moves the focus to a setting; where the form is a sheet or another screen, opens it first. */
export function focusSetting(field: string): void {
  if (focusIfThere(field)) return;
  const tab = onlineTabs[field.split(".")[0] as keyof RunConfig];
  if (tab === undefined) openLayer("settings");
  else openTab("online", tab);
  focusSoon(field, 8);
}

/** What was opened needs a moment to come in before it can hold the focus. */
function focusSoon(field: string, attempts: number): void {
  setTimeout(() => {
    if (!focusIfThere(field) && attempts > 1) focusSoon(field, attempts - 1);
  }, 250);
}

function focusIfThere(field: string): boolean {
  const element = document.querySelector<HTMLElement>(`[data-field="${CSS.escape(field)}"]`);
  if (element === null) return false;
  element.closest("details")?.setAttribute("open", "");
  element.focus();
  element.scrollIntoView({ block: "nearest" });
  return true;
}
