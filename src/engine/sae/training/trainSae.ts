/**
 * Training an autoencoder as an async generator: pause by not asking for the next report, stop with `return()`; what it
 * holds on the device is freed either way. BatchTopK (Bussmann et al. 2024, arXiv 2412.06410) on rows of the residual
 * stream, then one threshold for all features.
 */
import type { FlatParameters } from "../../adapters/parameters.ts";
import { batchOrder } from "../../data/batch.ts";
import { trimMemory } from "../../tensor/run.ts";
import { NonFiniteLossError } from "../../training/numericErrors.ts";
import { adamwDefaults, createOptimizer, type Optimizer } from "../../training/optimizer.ts";
import { learningRateAt } from "../../training/schedule.ts";
import { hookOfLayer } from "../layouts/hooks.ts";
import type { SaeArrays } from "../layouts/layout.ts";
import { uploadSae } from "../sparseAutoencoder.ts";
import { countRows, type StreamRows } from "./collectActivations.ts";
import { measureSae, thresholdOf } from "./measureSae.ts";
import { addSaeGradients } from "./saeGradients.ts";
import { createSaeParameters, foldedSae } from "./saeParameters.ts";
import type { SaeSettings } from "./saeSettings.ts";
import { scaledRows, streamScale, type StreamScale } from "./streamScale.ts";

/** Everything a training needs. */
export interface SaeTraining {
  readonly settings: SaeSettings;
  /** Rows of the stream behind the settings' layer that are trained on. */
  readonly rows: StreamRows;
  /** Rows of other texts that it is measured on. */
  readonly heldout: StreamRows;
  /** Model whose stream it is, for the file. */
  readonly modelName: string | null;
  /** Steps between two evaluations; 0 evaluates after the last one alone. */
  readonly evalEvery: number;
  /** A state after `step` steps, from a milestone's `save`. */
  readonly resume?: { readonly step: number; readonly tensors: Readonly<Record<string, Float32Array>> };
}

/** What the training reports; steps are counted from 1. */
export type SaeReport =
  /** `loss`, `unexplained`, `l0` and `dead` (share of features silent for long) of the step's rows before the update. */
  | { readonly kind: "step"; readonly step: number; readonly metrics: Readonly<Record<string, number>> }
  /** `eval_unexplained`, `eval_l0` and `eval_dead` (share of features that are active nowhere) on the held-out rows. */
  | {
      readonly kind: "evaluation";
      readonly step: number;
      readonly metrics: Readonly<Record<string, number>>;
      /** The autoencoder as it is now, for the stream itself. */
      readonly sae: SaeArrays;
    }
  /** Nothing is in flight: until the next report the state may be saved. */
  | {
      readonly kind: "milestone";
      readonly step: number;
      readonly isLast: boolean;
      /** Parameters, moments and silences on the host: what `resume` takes. */
      readonly save: () => Promise<Record<string, Float32Array>>;
    };

/** A feature that has been silent for so many rows counts as dead, until it is active again. */
const DEAD_AFTER_ROWS = 2048;
/** The threshold is taken from so many batches. */
const THRESHOLD_BATCHES = 16;
/** Short memories: a training has some hundred steps, and which features a row moves changes from step to step. */
const adam = { ...adamwDefaults, beta1: 0.5, beta2: 0.95, weightDecay: 0, maxGradNorm: 0 };
const WARMUP_SHARE = 0.05;
/** Name of the rows since a feature was active last, in a saved state. */
const SILENT_ROWS = "silentRows";

/** What a run holds between its steps. */
interface State {
  readonly parameters: FlatParameters;
  readonly optimizer: Optimizer;
  readonly scale: StreamScale;
  /** [width] rows since a feature was active last */
  readonly silentRows: Float32Array;
  /** Shifted and divided rows of a step. */
  readonly batchOf: (step: number) => Float32Array;
}

/** Trains from the first step, or from a saved state on, and reports as it goes. The last evaluation has the autoencoder. */
export async function* trainSae(training: SaeTraining): AsyncGenerator<SaeReport, void> {
  const { settings, resume, evalEvery } = training;
  const state = open(training);
  const { optimizer, silentRows } = state;
  try {
    if (resume !== undefined) {
      optimizer.restore(resume.tensors, resume.step);
      const silent = resume.tensors[SILENT_ROWS];
      if (silent?.length !== settings.width)
        throw new Error(
          `The saved state has ${silent?.length ?? "no"} values for "${SILENT_ROWS}", this training needs ${settings.width}.`,
        );
      silentRows.set(silent);
    }
    for (let step = (resume?.step ?? 0) + 1; step <= settings.steps; step++) {
      yield { kind: "step", step, metrics: await takeStep(settings, state, step) };
      const isLast = step === settings.steps;
      if (isLast || (evalEvery > 0 && step % evalEvery === 0)) yield await evaluate(training, state, step);
      yield {
        kind: "milestone",
        step,
        isLast,
        save: async () => ({ ...(await optimizer.save()), [SILENT_ROWS]: silentRows.slice() }),
      };
    }
  } finally {
    optimizer.dispose();
    state.parameters.dispose();
    trimMemory();
  }
}

function open({ settings, rows }: SaeTraining): State {
  const scale = streamScale(rows);
  const { width, batchRows, seed } = settings;
  const orderOf = batchOrder({ count: countRows(rows), batchPairs: batchRows, seed, shuffle: true });
  const parameters = createSaeParameters({ inputSize: rows.width, width }, seed);
  return {
    parameters,
    optimizer: createOptimizer(parameters, adam),
    scale,
    silentRows: new Float32Array(width),
    batchOf: (step) => scaledRows(rows, orderOf(step - 1), scale),
  };
}

async function takeStep(
  { k, width, batchRows, steps, learningRate }: SaeSettings,
  { parameters, optimizer, silentRows, batchOf }: State,
  step: number,
): Promise<Record<string, number>> {
  const dead = [...silentRows.keys()].filter((feature) => silentRows[feature]! >= DEAD_AFTER_ROWS);
  optimizer.clearGradients();
  const measures = await addSaeGradients(parameters, optimizer.gradients, { values: batchOf(step), k, dead });
  const { loss, unexplained, l0, isActive } = measures;
  if (!Number.isFinite(loss)) throw new NonFiniteLossError("The loss", step);
  isActive.forEach((is, feature) => (silentRows[feature] = is === 1 ? 0 : silentRows[feature]! + batchRows));
  const warmupSteps = Math.round(WARMUP_SHARE * steps);
  const rate = learningRateAt(step + 1, { learningRate, steps: steps + 1, warmupSteps, schedule: "cosine" });
  const gradientNorm = await optimizer.step(rate);
  if (!Number.isFinite(gradientNorm)) throw new NonFiniteLossError("The gradient norm", step);
  return { loss, unexplained, l0, dead: dead.length / width };
}

async function evaluate(
  { settings, rows, heldout, modelName }: SaeTraining,
  { parameters, optimizer, scale, batchOf }: State,
  step: number,
): Promise<SaeReport> {
  const { layer, width, k } = settings;
  const batches = Array.from({ length: THRESHOLD_BATCHES }, (_, i) => batchOf(i + 1));
  const threshold = await thresholdOf(parameters, batches, k);
  const sae = foldedSae(await optimizer.save(), {
    layer,
    modelName,
    hook: hookOfLayer(layer),
    scale,
    threshold,
    sizes: { inputSize: rows.width, width },
  });
  const uploaded = uploadSae(sae, { needsDecoder: true });
  try {
    const { unexplained, l0, dead } = await measureSae(uploaded, heldout);
    const metrics = { eval_unexplained: unexplained, eval_l0: l0, eval_dead: dead };
    return { kind: "evaluation", step, metrics, sae };
  } finally {
    uploaded.dispose();
  }
}
