/** Trains an autoencoder on the loaded pairs between everything else that the session does with the device. */
import type { SaeArrays } from "../engine/sae/layouts/layout.ts";
import { collectActivations, pairTexts } from "../engine/sae/training/collectActivations.ts";
import { saeSettingProblems, type SaeSettings } from "../engine/sae/training/saeSettings.ts";
import { trainSae, type SaeTraining } from "../engine/sae/training/trainSae.ts";
import { refuse } from "./errorReport.ts";
import type { OwnModel } from "./keptReference.ts";
import type { LoadedData } from "./library.ts";
import type { SaeSummary, SaeTrainingEvent } from "./protocol.ts";

/** Evaluations of a training at most, the last one included. */
const EVALUATIONS = 10;
/** Reports cross the wall at most ten times a second. */
const TELL_EVERY_MS = 100;

/** What the trainer needs of the session. */
export interface SaeTrainerSources {
  readonly model: () => OwnModel;
  readonly data: () => LoadedData;
  readonly alone: <Answer>(change: () => Promise<Answer>) => Promise<Answer>;
  /** Whether a run has the device. */
  readonly isRunning: () => boolean;
  readonly emit: (event: SaeTrainingEvent) => void;
  /** Puts what was trained among the autoencoders at hand. */
  readonly put: (arrays: SaeArrays) => SaeSummary;
}

/** Trains one autoencoder at a time. */
export interface SaeTrainer {
  /** Begins anew, or goes on with what was paused. Refuses settings that cannot be trained. */
  readonly start: (settings: SaeSettings, options: { readonly isContinued: boolean }) => void;
  /** Pauses after the step under way and resolves when the device is free. */
  readonly pause: () => Promise<void>;
  /** Pauses, and forgets what was paused: it belongs to a model and pairs that are about to go. */
  readonly forget: () => Promise<void>;
}

/** What a training is made on. */
type Streams = Pick<SaeTraining, "rows" | "heldout">;

/** A training with what it has so far. */
interface Job {
  readonly settings: SaeSettings;
  /** Reads the streams of the pairs, text by text; a pause leaves it where it is. */
  readonly reading: AsyncGenerator<{ readonly done: number; readonly total: number }, Streams>;
  streams: Streams | null;
  saved: NonNullable<SaeTraining["resume"]> | null;
}

/** A trainer that has nothing to do yet. */
export function createSaeTrainer(sources: SaeTrainerSources): SaeTrainer {
  const { model, data, alone } = sources;
  let job: Job | null = null;
  let isPausing = false;
  let working: Promise<void> | null = null;

  /** Reads what is missing of the streams; null when it was paused before that. */
  const collect = async ({ reading }: Job, tell: Tell): Promise<Streams | null> => {
    for (;;) {
      const next = await alone(() => reading.next());
      if (next.done === true) return next.value;
      tell("collecting", next.value.done, { steps: next.value.total });
      if (isPausing) return null;
      await nextTask();
    }
  };

  const work = async (own: Job, tell: Tell): Promise<void> => {
    own.streams ??= await collect(own, tell);
    if (own.streams === null) return tell("paused", 0);
    const { settings, streams, saved } = own;
    const evalEvery = Math.ceil(settings.steps / EVALUATIONS);
    const resumed = saved === null ? {} : { resume: saved };
    const training = trainSae({ ...streams, ...resumed, settings, evalEvery, modelName: model().id });
    let trained: SaeArrays | null = null;
    let step = saved?.step ?? 0;
    try {
      for (;;) {
        const next = await alone(() => training.next());
        if (next.done === true) break;
        const report = next.value;
        ({ step } = report);
        if (report.kind === "evaluation") trained = report.sae;
        if (report.kind !== "milestone") tell("training", step, { metrics: report.metrics });
        else if (isPausing && !report.isLast) {
          own.saved = { step, tensors: await alone(report.save) };
          return tell("paused", step);
        }
        await nextTask();
      }
    } finally {
      await alone(() => training.return());
    }
    job = null;
    const made = trained;
    if (made !== null) tell("done", step, { sae: await alone(async () => sources.put(made)) });
  };

  const pause = async () => {
    isPausing = true;
    await working;
  };
  const forget = async () => {
    await pause();
    void job?.reading.return({ rows: noRows, heldout: noRows });
    job = null;
  };
  return {
    start: (settings, { isContinued }) => {
      const [problem] = saeSettingProblems(settings, model().model.config);
      if (problem !== undefined) refuse("CFG-1", problem);
      if (sources.isRunning()) refuse("RUN-1", "A run is under way: stop it first, or wait for its end.");
      if (working !== null) refuse("RUN-1", "An autoencoder is being trained already: pause it first.");
      if (isContinued && job === null) refuse("RUN-1", "No training is paused: start one.");
      const begun = { settings, reading: streamsOf(model(), data(), settings), streams: null, saved: null };
      const own = (isContinued ? job : null) ?? begun;
      job = own;
      isPausing = false;
      const tell = teller(own, sources.emit);
      working = work(own, tell)
        .catch((error: unknown) => {
          // What failed is not gone on with, and its rows are let go.
          job = null;
          const reason = error instanceof Error ? error.message : String(error);
          tell("failed", own.saved?.step ?? 0, { reason });
        })
        .finally(() => {
          working = null;
        });
    },
    pause,
    forget,
  };
}

const noRows = { values: new Float32Array(), width: 1 };

/** Reads the streams of the training pairs, then of the held-out ones. */
async function* streamsOf(
  { model, tokenizer }: OwnModel,
  { train, heldout }: LoadedData,
  { layer }: SaeSettings,
): Job["reading"] {
  const textsOf = (pairs: LoadedData["train"]) => ({
    model,
    layer,
    texts: pairTexts(pairs),
    startToken: tokenizer.bosTokenId,
  });
  const rows = yield* collectActivations(textsOf(train));
  return { rows, heldout: yield* collectActivations(textsOf(heldout)) };
}

type Tell = ReturnType<typeof teller>;

/** Says how far a job is, with the metrics that are known so far. */
function teller({ settings }: Job, emit: SaeTrainerSources["emit"]) {
  let [toldAt, metrics] = [-Infinity, {} as Readonly<Record<string, number>>];
  return (
    status: SaeTrainingEvent["status"],
    step: number,
    more: Partial<Pick<SaeTrainingEvent, "metrics" | "reason" | "sae" | "steps">> = {},
  ): void => {
    const { reason = "", sae = null, steps = settings.steps } = more;
    metrics = { ...metrics, ...more.metrics };
    const isFrequent = status === "training" || status === "collecting";
    if (isFrequent && performance.now() - toldAt < TELL_EVERY_MS) return;
    toldAt = performance.now();
    emit({ type: "sae", status, step, steps, metrics, reason, sae });
  };
}

/** Messages from the page are heard between tasks only. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve);
  });
}
