/** Trains an autoencoder on the loaded pairs between everything else that the session does with the device. */
import type { SaeArrays } from "../engine/sae/layouts/layout.ts";
import { collectActivations, pairTexts } from "../engine/sae/training/collectActivations.ts";
import { saeSettingProblems, type SaeSettings } from "../engine/sae/training/saeSettings.ts";
import { trainSae, type SaeTraining } from "../engine/sae/training/trainSae.ts";
import { refuse } from "./errorReport.ts";
import type { OwnModel } from "./keptReference.ts";
import type { LoadedData } from "./library.ts";
import type { FeatureCommands, SaeSummary, SaeTrainingEvent } from "./protocol.ts";

/** Evaluations of a training at most, the last one included. */
const EVALUATIONS = 10;
/** Reports cross the wall at most ten times a second. */
const TELL_EVERY_MS = 100;

/** Longest text of a file, in tokens. */
const LONGEST_TEXT = 256;
/** One text of so many is held out of a file. */
const HELD_OUT_EVERY = 10;
/** Held-out rows that are measured at most. */
const HELD_OUT_ROWS = 20_000;

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
  readonly start: (question: TrainingQuestion) => void;
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
    start: ({ settings, isContinued, texts }) => {
      const [problem] = saeSettingProblems(settings, model().model.config);
      if (problem !== undefined) refuse("CFG-1", problem);
      if (sources.isRunning()) refuse("RUN-1", "A run is under way: stop it first, or wait for its end.");
      if (working !== null) refuse("RUN-1", "An autoencoder is being trained already: pause it first.");
      if (isContinued && job === null) refuse("RUN-1", "No training is paused: start one.");
      const begin = (): Job => {
        const split = texts === null ? pairSplit(data()) : textSplit(texts, model());
        return { settings, reading: streamsOf(model(), split, settings), streams: null, saved: null };
      };
      const own = (isContinued ? job : null) ?? begin();
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

/** What a training is asked for, with the texts of the file that was named. */
type TrainingQuestion = Omit<FeatureCommands["trainSae"]["question"], "texts"> & {
  readonly texts: { readonly name: string; readonly texts: readonly string[] } | null;
};

/** Token ids of texts that are trained on, and of those that it is measured on. */
interface TextSplit {
  readonly train: readonly Int32Array[];
  readonly heldout: readonly Int32Array[];
}

function pairSplit({ train, heldout }: LoadedData): TextSplit {
  return { train: pairTexts(train), heldout: pairTexts(heldout) };
}

/** The texts of a file, cut where they are long; every tenth is held out. */
function textSplit(
  { name, texts }: NonNullable<TrainingQuestion["texts"]>,
  { model, tokenizer }: OwnModel,
): TextSplit {
  const longest = Math.min(LONGEST_TEXT, model.config.maxPositions);
  const ids = texts.map((text) =>
    Int32Array.from(tokenizer.encode(text, { addSpecialTokens: true }).slice(0, longest)),
  );
  const isHeldOut = (index: number) => index % HELD_OUT_EVERY === HELD_OUT_EVERY - 1;
  const [train, heldout] = [false, true].map((wanted) => ids.filter((_, at) => isHeldOut(at) === wanted));
  if (train === undefined || heldout === undefined || heldout.length === 0)
    return refuse("FIL-1", `"${name}" holds ${ids.length} texts; at least ${HELD_OUT_EVERY} are needed.`);
  return { train, heldout };
}

/** Only so many texts that no step reads a row of another one's again: more would only take memory. */
function enough(texts: readonly Int32Array[], rows: number): readonly Int32Array[] {
  let read = 0;
  const end = texts.findIndex(({ length }) => (read += length) >= rows);
  return end < 0 ? texts : texts.slice(0, end + 1);
}

/** Reads the streams of the texts to train on, then of those that are held out. */
async function* streamsOf(
  { model, tokenizer }: OwnModel,
  { train, heldout }: TextSplit,
  { layer, steps, batchRows }: SaeSettings,
): Job["reading"] {
  const options = { model, layer, startToken: tokenizer.bosTokenId };
  const rows = yield* collectActivations({ ...options, texts: enough(train, steps * batchRows) });
  const others = enough(heldout, HELD_OUT_ROWS);
  return { rows, heldout: yield* collectActivations({ ...options, texts: others }) };
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
