import { openLayer } from "../../state/viewStore.ts";

/** Moves the focus to a setting of the form; where the form is a sheet, opens it first. */
export function focusSetting(field: string): void {
  if (focusIfThere(field)) return;
  openLayer("settings");
  // The sheet needs a moment to come in before it can hold the focus.
  setTimeout(() => {
    focusIfThere(field);
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
