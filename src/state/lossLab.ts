/** The loss surface of the present setup, asked of the trainer whenever the setup or the shown range changes. */
import { create } from "zustand";
import type { RunConfig } from "../engine/training/config.ts";
import type { LossAxis, LossSurface } from "../worker/protocol.ts";
import { callTrainer } from "./connection.ts";
import { useRunStore } from "./runStore.ts";
import { setupProblems, useSetupStore } from "./setupStore.ts";

/** A surface with the places it was computed at. */
export interface ShownSurface extends LossSurface {
  readonly axis: LossAxis;
}

interface LossLabState {
  /** The newest surface; null before the first. */
  readonly surface: ShownSurface | null;
  /** Why there is no newer one; null when there is nothing to say. */
  readonly refusal: string | null;
  readonly isAsking: boolean;
}

/** The loss lab's surface and how it stands with the next one. */
export const useLossLabStore = create<LossLabState>(() => ({
  surface: null,
  refusal: null,
  isAsking: false,
}));

/** Places along each axis; the middle one is 0. */
const surfaceCells = 41;
/** Long enough for a slider to take its next value. */
const restMs = 120;

let restTimer: ReturnType<typeof setTimeout> | undefined;
let turn = 0;

/** What of a configuration its loss depends on. */
function lossKey(config: RunConfig): string {
  const { model, data, objective, method, secondMethod, sftWeight, methodWeight, secondWeight } = config;
  const knobs = Object.entries(config.params).map(([key, value]) => `${key}=${value}`);
  return [model, data, objective, method, secondMethod, sftWeight, methodWeight, secondWeight, ...knobs].join(
    " ",
  );
}

/** Keeps the surface over differences up to `range` nats in step with the setup; the answer ends that. */
export function watchSurface(range: number): () => void {
  let asked: string | null = null;
  const look = () => {
    const { description, config, loaded } = useSetupStore.getState();
    if (description === null) return;
    // The first evaluation of a run comes after its reference was read, which may move the typical pair.
    const isScored = useRunStore.getState().points !== null;
    const wanted = [lossKey(config), loaded?.data, isScored].join(" ");
    if (wanted === asked) return;
    asked = wanted;
    showSurface(config, range);
  };
  look();
  const leave = [useSetupStore.subscribe(look), useRunStore.subscribe(look)];
  return () => {
    for (const unsubscribe of leave) unsubscribe();
  };
}

/** Asks for the surface of a setup, once it has come to rest. */
export function showSurface(config: RunConfig, range: number): void {
  clearTimeout(restTimer);
  const own = ++turn;
  const [problem] = setupProblems({ config, preflight: null });
  if (problem !== undefined) {
    useLossLabStore.setState({ isAsking: false, refusal: problem.message });
    return;
  }
  useLossLabStore.setState({ isAsking: true });
  restTimer = setTimeout(() => {
    void ask(config, range, own);
  }, restMs);
}

async function ask(config: RunConfig, range: number, own: number): Promise<void> {
  const axis = { minimum: -range, maximum: range, cells: surfaceCells };
  try {
    const answer = await callTrainer("lossSurface", { config, axis });
    // A question that another has overtaken is nobody's any more.
    if (own !== turn) return;
    useLossLabStore.setState({ surface: { ...answer, axis }, refusal: null, isAsking: false });
  } catch (error) {
    if (own !== turn) return;
    const refusal = error instanceof Error ? error.message : String(error);
    useLossLabStore.setState({ refusal, isAsking: false });
  }
}
