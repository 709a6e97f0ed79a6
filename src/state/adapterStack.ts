/** Adapters beside the shelf of models: brought in, kept after a run, and stood on the loaded model. */
import { create } from "zustand";
import type { RunConfig } from "../engine/training/config.ts";
import type { ShelfAdapter } from "../worker/protocol.ts";
import { sentenceOf } from "./asked.ts";
import { callTrainer } from "./connection.ts";
import { ensureLoaded, handOver } from "./loading.ts";
import { raiseError } from "./messageStore.ts";
import { addLog } from "./runStore.ts";
import { useSetupStore } from "./setupStore.ts";
import { removeFromShelf, workOnShelf } from "./shelf.ts";
import { isBusy, takeOver } from "./takeOver.ts";

/** Adapters by their scales. */
export type Stack = RunConfig["adapters"];

/** How far a scale may go either way. */
export const largestScale = 8;

interface StackState {
  /** What is ticked; null while it is what stands on the model. */
  readonly draft: Stack | null;
  readonly isApplying: boolean;
  readonly refusal: string | null;
}

/** The stack that is being put together. */
export const useStackStore = create<StackState>(() => ({ draft: null, isApplying: false, refusal: null }));

/** What is ticked now. */
export function stackOf({ draft }: Pick<StackState, "draft">, config: Pick<RunConfig, "adapters">): Stack {
  return draft ?? config.adapters;
}

/** Whether what is ticked waits to be applied. */
export function isStackChanged(
  { draft }: Pick<StackState, "draft">,
  config: Pick<RunConfig, "adapters">,
): boolean {
  return draft !== null && JSON.stringify(draft) !== JSON.stringify(config.adapters);
}

function present(): Stack {
  return stackOf(useStackStore.getState(), useSetupStore.getState().config);
}

/** Puts an adapter on the stack or takes it off. */
export function toggleAdapter(id: string): void {
  const stack = present();
  const others = stack.filter((adapter) => adapter.id !== id);
  useStackStore.setState({ draft: others.length < stack.length ? others : [...stack, { id, scale: 1 }] });
}

/** Weighs an adapter of the stack. */
export function scaleAdapter(id: string, scale: number): void {
  if (!Number.isFinite(scale)) return;
  const held = Math.min(Math.max(scale, -largestScale), largestScale);
  const draft = present().map((adapter) => (adapter.id === id ? { id, scale: held } : adapter));
  useStackStore.setState({ draft });
}

/** Forgets what is ticked but not applied. */
export function resetStack(): void {
  useStackStore.setState({ draft: null, refusal: null });
}

/** Stands what is ticked on the model from now on. */
export function applyStack(): Promise<boolean> {
  return stand(present());
}

/** Takes every adapter off the model. */
export function clearStack(): Promise<boolean> {
  return stand([]);
}

async function stand(adapters: Stack): Promise<boolean> {
  if (isBusy()) return false;
  useStackStore.setState({ isApplying: true, refusal: null });
  try {
    await ensureLoaded({ ...useSetupStore.getState().config, adapters });
    useSetupStore.setState(({ config }) => ({ config: { ...config, adapters } }));
    useStackStore.setState({ draft: null });
    addLog({ level: "info", message: stackSentence(adapters.length) });
  } catch (error) {
    useStackStore.setState({ refusal: sentenceOf(error) });
    return false;
  } finally {
    useStackStore.setState({ isApplying: false });
  }
  await takeOver().catch(raiseError);
  return true;
}

function stackSentence(count: number): string {
  if (count === 0) return "No adapter stands on the model.";
  return count === 1 ? "1 adapter stands on the model." : `${count} adapters stand on the model.`;
}

/** Brings in the files of a PEFT adapter. */
export function importAdapter(files: readonly File[]): Promise<boolean> {
  return workOnShelf("Reading the adapter", async () => {
    told("Imported", await callTrainer("importAdapter", { files: handOver(files) }));
  });
}

/** Keeps the adapter of the last run. */
export function keepAdapter(label: string): Promise<boolean> {
  return workOnShelf("Keeping the adapter", async () => {
    told("Kept", await callTrainer("keepAdapter", { label }));
  });
}

function told(verb: string, { label }: ShelfAdapter): void {
  addLog({ level: "info", message: `${verb} the adapter ${label}.` });
}

/** Deletes an adapter; one that stands on the model is taken off first. */
export async function deleteAdapter(id: string, label: string): Promise<boolean> {
  const { adapters } = useSetupStore.getState().config;
  const others = adapters.filter((adapter) => adapter.id !== id);
  if (others.length < adapters.length && !(await stand(others))) return false;
  useStackStore.setState(({ draft }) => ({ draft: draft && draft.filter((adapter) => adapter.id !== id) }));
  return removeFromShelf(id, label);
}
