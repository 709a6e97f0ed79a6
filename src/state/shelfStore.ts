/** What the browser keeps of models and adapters, as the trainer listed it last. */
import { create } from "zustand";
import type { Description } from "../worker/description.ts";
import type { Shelf, ShelfModel } from "../worker/protocol.ts";

interface ShelfState {
  /** Null before the first list. */
  readonly shelf: Shelf | null;
  /** Why the last list, deletion or keeping did not work; null when there is nothing to say. */
  readonly refusal: string | null;
  /** What is being done, in words; null when nothing is. */
  readonly working: string | null;
}

/** The shelf of the page. */
export const useShelfStore = create<ShelfState>(() => ({ shelf: null, refusal: null, working: null }));

/** Whether an id has the form of those on a shelf. */
export function isShelfId(id: string): boolean {
  return /^(hub|disk):/.test(id);
}

/** Whether all of a model is here. */
export function isComplete({ presentBytes, totalBytes }: ShelfModel): boolean {
  return presentBytes >= totalBytes;
}

/** A description whose models are those that come with the studio and the complete ones of a shelf. */
export function withShelf(description: Description, { models }: Pick<Shelf, "models">): Description {
  const own = description.models.filter(({ id }) => !isShelfId(id));
  const kept = models.filter(isComplete).map(({ id, label }) => ({ id, label }));
  return { ...description, models: [...own, ...kept] };
}
