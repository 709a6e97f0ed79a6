/** The training of an autoencoder: started, paused, continued, and watched. */
import { create } from "zustand";
import { defaultSaeSettings, saeSettingRanges } from "../engine/sae/training/saeSettings.ts";
import type { SaeSettings, SaeTrainingEvent } from "../worker/protocol.ts";
import { sentenceOf } from "./asked.ts";
import { callTrainer } from "./connection.ts";
import { handOver } from "./loading.ts";
import { putInUse } from "./saes.ts";
import { useSetupStore } from "./setupStore.ts";
import { BucketSeries, type SeriesPoint } from "./series.ts";

/** What is drawn while an autoencoder is trained. */
export const saeMetrics = ["loss", "unexplained", "l0", "dead"] as const;

/** A number that is drawn while an autoencoder is trained. */
export type SaeMetric = (typeof saeMetrics)[number];

interface SaeTrainingState {
  readonly settings: SaeSettings;
  /** The texts that are trained on; null for the loaded pairs. */
  readonly texts: File | null;
  /** The newest word of the trainer; null before the first training. */
  readonly event: SaeTrainingEvent | null;
  /** Held-out figures, as they were last measured. */
  readonly heldOut: Readonly<Record<string, number>>;
  readonly points: Readonly<Record<SaeMetric, readonly SeriesPoint[]>>;
  /** Why it was not started or paused; null when there is nothing to say. */
  readonly refusal: string | null;
}

const { layer: _ofTheModel, ...ranges } = saeSettingRanges;

/** What the form accepts, beside the layers that the model has. */
export const saeLimits = ranges;

const noPoints = pointsOf((): SeriesPoint[] => []);
let series = newSeries();
let drawnStep = 0;

/** The autoencoder that is trained. */
export const useSaeTrainingStore = create<SaeTrainingState>(() => ({
  // A shallower model is read at its last layer.
  settings: defaultSaeSettings({ layers: Infinity }),
  texts: null,
  event: null,
  heldOut: {},
  points: noPoints,
  refusal: null,
}));

function newSeries(): Record<SaeMetric, BucketSeries> {
  return pointsOf(() => new BucketSeries());
}

function pointsOf<Value>(make: (name: SaeMetric) => Value): Record<SaeMetric, Value> {
  const [loss, unexplained, l0, dead] = saeMetrics;
  return { loss: make(loss), unexplained: make(unexplained), l0: make(l0), dead: make(dead) };
}

/** Forgets a training with the trainer, the model or the pairs that it belongs to; the answer ends that. */
export function watchSaeTraining(): () => void {
  const subject = () => {
    const { loaded } = useSetupStore.getState();
    return loaded && [loaded.backend, loaded.model, loaded.data].join(" ");
  };
  let known = subject();
  return useSetupStore.subscribe(() => {
    if (subject() === known) return;
    known = subject();
    forgetTraining();
  });
}

function forgetTraining(): void {
  series = newSeries();
  drawnStep = 0;
  useSaeTrainingStore.setState({ event: null, heldOut: {}, points: noPoints, refusal: null });
}

/** Changes what the next training is set up with. */
export function editSae(change: Partial<SaeSettings>): void {
  useSaeTrainingStore.setState(({ settings }) => ({ settings: { ...settings, ...change } }));
}

/** Settings for a model of so many layers: a shallower one is read at its last. */
export function saeSettings({ settings }: Pick<SaeTrainingState, "settings">, layers: number): SaeSettings {
  return { ...settings, layer: Math.max(Math.min(settings.layer, layers - 1), 0) };
}

/** Why settings cannot be trained with, one sentence for each field. */
export function saeProblems(
  settings: SaeSettings,
  layers: number,
): readonly { readonly field: keyof SaeSettings; readonly message: string }[] {
  const limits = { layer: [0, Math.max(layers - 1, 0)], ...saeLimits } as const;
  const fields = Object.keys(limits) as (keyof SaeSettings)[];
  const problems = fields.flatMap((field) => {
    const [minimum, maximum] = limits[field];
    const value = settings[field];
    const isWhole = field === "learningRate" || Number.isInteger(value);
    if (!isWhole) return [{ field, message: "A whole number is needed here." }];
    if (value >= minimum && value <= maximum) return [];
    return [{ field, message: `Must be between ${minimum} and ${maximum}.` }];
  });
  const isTooFull = settings.k > settings.width && !problems.some(({ field }) => field === "k");
  return isTooFull
    ? [...problems, { field: "k", message: `Must be at most the width, ${settings.width}.` }]
    : problems;
}

/** Whether an autoencoder is being trained now. */
export function isSaeTraining({ event }: Pick<SaeTrainingState, "event">): boolean {
  return event?.status === "collecting" || event?.status === "training";
}

/** Trains an autoencoder on the chosen texts or the loaded pairs, or goes on with the paused one. */
export async function trainSae(isContinued: boolean): Promise<void> {
  if (!isContinued) forgetTraining();
  const settings = saeSettings(useSaeTrainingStore.getState(), useSetupStore.getState().model?.layers ?? 0);
  const { texts: file } = useSaeTrainingStore.getState();
  // A paused training has its texts already.
  const [texts = null] = file === null || isContinued ? [] : handOver([file]);
  await tell(callTrainer("trainSae", { settings, isContinued, texts }));
}

/** Trains on the texts of a file from now on; null for the loaded pairs. */
export function chooseSaeTexts(texts: File | null): void {
  useSaeTrainingStore.setState({ texts });
}

/** Pauses after the present step. */
export async function pauseSae(): Promise<void> {
  await tell(callTrainer("pauseSae", null));
}

async function tell(asked: Promise<null>): Promise<void> {
  useSaeTrainingStore.setState({ refusal: null });
  try {
    await asked;
  } catch (error) {
    useSaeTrainingStore.setState({ refusal: sentenceOf(error) });
  }
}

/** Takes in what the trainer says of the training; a finished autoencoder is used from then on. */
export function hearSaeTraining(event: SaeTrainingEvent): void {
  // The last figures are told again with a change of status.
  if (event.step > drawnStep) {
    drawnStep = event.step;
    for (const name of saeMetrics) {
      const value = event.metrics[name];
      if (value !== undefined) series[name].append(event.step, value);
    }
  }
  const measured = Object.entries(event.metrics).filter(([name]) => name.startsWith("eval_"));
  useSaeTrainingStore.setState(({ heldOut }) => ({
    event,
    heldOut: { ...heldOut, ...Object.fromEntries(measured) },
    points: pointsOf((name) => series[name].points()),
  }));
  if (event.status === "done" && event.sae !== null) putInUse(event.sae);
}
