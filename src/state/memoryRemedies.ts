/** What a setup can give up when a device has no memory left, in the order in which it costs least. */
import type { RunConfig } from "../engine/training/config.ts";
import { useRunStore } from "./runStore.ts";
import { isRunOfSetup, useSetupStore } from "./setupStore.ts";

/** One change that needs less memory. */
export interface MemoryRemedy {
  /** What a run has after the change, such as "a batch of 4". */
  readonly words: string;
  readonly patch: Partial<RunConfig>;
  /** The parameters keep their shapes, so that a checkpoint can go on with it. */
  readonly canResume: boolean;
}

const MOST_ACCUMULATED = 64;

/** What can still be given up; `keepsLayers` when the layers of a batch are kept whole. */
export function memoryRemedies(
  config: RunConfig,
  { layers, keepsLayers }: { readonly layers: number; readonly keepsLayers: boolean },
): MemoryRemedy[] {
  const again = { words: "layers computed again", patch: { checkpointing: "on" }, canResume: true } as const;
  return [
    ...smallerBatch(config),
    ...(keepsLayers ? [again] : []),
    ...(config.tuning === "lora" ? [...fewerLayers(config, layers), ...smallerRank(config)] : []),
  ];
}

function smallerBatch({ batchPairs, accumulationSteps }: RunConfig): MemoryRemedy[] {
  if (batchPairs === 1) return [];
  const half = Math.floor(batchPairs / 2);
  // Twice as many batches keep the pairs of a step, and with them what a step learns.
  const patch = { batchPairs: half, accumulationSteps: Math.min(2 * accumulationSteps, MOST_ACCUMULATED) };
  return [{ words: `a batch of ${half}`, patch, canResume: true }];
}

function fewerLayers({ topLayers }: RunConfig, layers: number): MemoryRemedy[] {
  const trained = topLayers === 0 ? layers : Math.min(topLayers, layers);
  if (trained <= 1) return [];
  const half = Math.floor(trained / 2);
  const words = half === 1 ? "the last layer alone" : `the last ${half} layers alone`;
  return [{ words, patch: { topLayers: half }, canResume: false }];
}

function smallerRank({ loraRank, loraAlpha }: RunConfig): MemoryRemedy[] {
  if (loraRank === 1) return [];
  const half = Math.floor(loraRank / 2);
  // The update is scaled by alpha / rank, which stays what it was.
  const patch = { loraRank: half, loraAlpha: (loraAlpha * half) / loraRank };
  return [{ words: `rank ${half}`, patch, canResume: false }];
}

/** What the run that ran out of memory, or else the setup, can still give up. */
export function remediesNow(isOfRun: boolean): MemoryRemedy[] {
  const { config, runningConfig, model } = useSetupStore.getState();
  const { room } = useRunStore.getState();
  const tried = isOfRun && runningConfig !== null ? runningConfig : config;
  // Before the first step "auto" has tried to compute layers again already.
  const keepsLayers = isOfRun && room !== null ? room.keeps === "everything" : tried.checkpointing === "off";
  return memoryRemedies(tried, { layers: model?.layers ?? 1, keepsLayers });
}

/** The numbers and words of MEM-1. */
export function memoryDetails(isOfRun: boolean): Record<string, string | number | null> {
  const setup = useSetupStore.getState();
  const remedies = remediesNow(isOfRun);
  const isCounted = !isOfRun || isRunOfSetup(setup);
  return {
    bytes: isCounted ? (setup.preflight?.memoryBytes.activations ?? null) : null,
    remedy: remedies[0]?.words ?? null,
    remedies: remedies.map(({ words }) => words).join(", "),
    canResume: remedies[0]?.canResume === true ? 1 : 0,
  };
}
