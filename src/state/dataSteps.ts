/** What is done to the set before it is trained: a list in the configuration, added to and taken back by hand. */
import type { DataStep, HealthCheck } from "../engine/data/steps/dataStep.ts";
import { edit } from "./editing.ts";
import { dismissMessages } from "./messageStore.ts";
import { useSetupStore } from "./setupStore.ts";

/** A person's own text in place of a row's. */
export type Revision = Extract<DataStep, { readonly kind: "revise" }>;

function steps(): readonly DataStep[] {
  return useSetupStore.getState().config.dataSteps;
}

function setSteps(dataSteps: DataStep[]): void {
  // What was said of a change that cannot be made is about the list as it was.
  dismissMessages("CFG-1");
  edit({ dataSteps });
}

/** Adds a change at the end; the same check is left out only once. */
export function addStep(step: DataStep): void {
  if (step.kind === "drop" && isDropped(steps(), step.check)) return;
  setSteps([...steps(), step]);
}

/** Takes a change back; those after it stay. */
export function removeStep(place: number): void {
  setSteps(steps().filter((_, index) => index !== place));
}

/** Takes back the change that was made last. */
export function undoStep(): void {
  setSteps(steps().slice(0, -1));
}

/** Puts the rows that a check names back. */
export function putBack(check: HealthCheck): void {
  setSteps(steps().filter((step) => step.kind !== "drop" || step.check !== check));
}

/** Puts a person's own text in place of a row's; a second revision of the row adds to the first. */
export function reviseRow(revision: Omit<Revision, "kind">): void {
  const earlier = revisionOf(steps(), revision.row);
  const others = steps().filter((step) => step.kind !== "revise" || step.row !== revision.row);
  setSteps([...others, { kind: "revise", ...earlier, ...revision }]);
}

/** Takes a row's revision back. */
export function unreviseRow(row: number): void {
  setSteps(steps().filter((step) => step.kind !== "revise" || step.row !== row));
}

/** Whether the rows that a check names are left out. */
export function isDropped(list: readonly DataStep[], check: HealthCheck): boolean {
  return list.some((step) => step.kind === "drop" && step.check === check);
}

/** The revision of a row; null where there is none. */
export function revisionOf(list: readonly DataStep[], row: number): Revision | null {
  return list.find((step): step is Revision => step.kind === "revise" && step.row === row) ?? null;
}
