/** The run: the one under way, or what is left of the last one. */
import type { PairRow } from "../engine/data/row.ts";
import { writePairs } from "../engine/data/writePairs.ts";
import type { OnlineSetup } from "../engine/online/onlineSetup.ts";
import type { RoundRecord } from "../engine/online/roundRecord.ts";
import type { RunConfig } from "../engine/training/config.ts";
import type { TrainingRun } from "../engine/training/train.ts";
import { refuse } from "./errorReport.ts";
import type { ExportedRun } from "./exporting.ts";
import type { DeskSources } from "./featureDesk.ts";
import type { createTamper } from "./injection.ts";
import { inspectPair } from "./inspectPair.ts";
import type { OwnModel } from "./keptReference.ts";
import { promptText } from "./library.ts";
import { seePolicy } from "./lastPolicy.ts";
import type { Checkpoint, Commands, WorkerEvent } from "./protocol.ts";
import {
  onlineSetup,
  promptsOf,
  samplingOf,
  trainingRun,
  type OwnData,
  type RunParts,
} from "./runSettings.ts";
import { startRunner, type Runner } from "./runner.ts";
import type { Handlers } from "./session.ts";

/** A run that came to a checkpoint. */
export interface CheckedRun {
  readonly config: RunConfig;
  readonly checkpoint: Checkpoint;
}

/** The judges of a run, until it ends. */
export interface OpenJudges extends Pick<OnlineSetup, "judges" | "heldoutJudge"> {
  readonly dispose: () => void;
}

/** What the desk needs of the session; `model` and `data` refuse while nothing is loaded. */
export interface RunDeskSources {
  readonly emit: (event: WorkerEvent) => void;
  readonly model: () => OwnModel;
  /** The model, or null while none is loaded. */
  readonly loaded: () => OwnModel | null;
  readonly data: () => OwnData;
  readonly tamper: () => ReturnType<typeof createTamper>;
  /** Refuses while the run waits for a person's judgement: no milestone comes before that. */
  readonly refuseWhileAsked: () => void;
}

/** The desk: what a run is asked, and what others ask of it. */
export interface RunDesk {
  readonly handlers: Pick<
    Handlers,
    "pause" | "resume" | "step" | "setLive" | "sampleNow" | "inspectPair" | "retryJudges" | "exportRound"
  >;
  /** Begins a run, with judges where it has online rounds; nothing else may be running. */
  readonly begin: (
    question: Commands["start"]["question"],
    parts: RunParts,
    judges: OpenJudges | null,
  ) => void;
  /** Asks the run under way to end, at once; resolves when the device is free. */
  readonly end: () => Promise<void>;
  readonly isRunning: () => boolean;
  /** Lets `look` see the policy of the run under way, or of the last one; null where there was none. */
  readonly withPolicy: DeskSources["withPolicy"];
  /** The run under way as of its next milestone, or the last one; null where nothing was trained. */
  readonly trained: () => Promise<CheckedRun | null>;
  /** What the run was trained on, and metrics of its first and last evaluation. */
  readonly told: () => Pick<ExportedRun, "data" | "before" | "after">;
  /** The last checkpoint; null before the first, and after it was forgotten. */
  readonly last: () => CheckedRun | null;
  /** Takes a checkpoint for the last one, or forgets it: its policy is none of the model's any more. */
  readonly setLast: (run: CheckedRun | null) => void;
}

function onlineOf(
  config: RunConfig,
  parts: RunParts,
  at: {
    readonly judges: OpenJudges;
    readonly resume: Checkpoint | null;
    readonly stopping: AbortController;
  },
): OnlineSetup {
  const { judges, heldoutJudge } = at.judges;
  const setup = onlineSetup(config, parts, { judges, heldoutJudge, signal: at.stopping.signal });
  const resume = at.resume?.rounds ?? null;
  return resume === null ? setup : { ...setup, resume };
}

/** The pairs of a round with their scores, as a data set; prompts that are conversations stay so. */
function roundFiles({ round, prompts }: RoundRecord, turns: ReadonlyMap<string, PairRow["prompt"]>) {
  const rows = prompts.flatMap(({ prompt: text, now }, index): PairRow[] => {
    if (now === null) return [];
    const prompt = turns.get(text) ?? text;
    const answer = (content: string) =>
      typeof prompt === "string" ? content : [{ role: "assistant" as const, content }];
    return [
      {
        prompt,
        chosen: answer(now.chosen),
        rejected: answer(now.rejected),
        scores: { chosen: now.chosenScore, rejected: now.rejectedScore },
        source: { file: `round ${round + 1}`, row: index + 1 },
      },
    ];
  });
  return writePairs(rows).map(({ suffix, text }) => ({
    name: `round-${round + 1}${suffix}.jsonl`,
    bytes: new TextEncoder().encode(text),
  }));
}

const nothingTold = { data: null, before: null, after: null };

/** Opens the desk; nothing runs. */
export function createRunDesk(sources: RunDeskSources): RunDesk {
  const { emit, model, data } = sources;
  let runner: Runner | null = null;
  let last: CheckedRun | null = null;
  let runningConfig: RunConfig | null = null;
  let told: ReturnType<RunDesk["told"]> = nothingTold;
  let live: TrainingRun["live"] | null = null;
  let runs = 0;
  const needRunner = () => runner ?? refuse("RUN-1", "Nothing is being trained. Press Train first.");

  const tell = (event: WorkerEvent) => {
    if (event.type === "checkpoint" && runningConfig) {
      last = { config: runningConfig, checkpoint: event.checkpoint };
    }
    if (event.type === "evaluation") {
      // A run that was resumed tells nothing of before its first step.
      const first = event.step === 0 ? event.metrics : null;
      told = { ...told, before: told.before ?? first, after: event.metrics };
    }
    emit(event);
  };

  const begin: RunDesk["begin"] = ({ runId, config, resume, isStepping }, parts, judges) => {
    const stopping = new AbortController();
    const run: TrainingRun = {
      ...trainingRun(config, parts),
      tamper: sources.tamper(),
      ...(judges === null ? {} : { online: onlineOf(config, parts, { judges, resume, stopping }) }),
    };
    runs += 1;
    ({ live } = run);
    runningConfig = config;
    last = resume === null ? null : { config, checkpoint: resume };
    const { label, trainPairs, heldoutPairs } = parts.data.summary;
    told = { ...nothingTold, data: { label, trainPairs, heldoutPairs } };
    const started = startRunner({
      runId,
      run: resume === null ? run : { ...run, resume },
      activeMs: resume?.activeMs ?? 0,
      stopping,
      emit: tell,
      saes: parts.features?.measured ?? [],
      prompts: promptsOf(parts.data, config.samplePrompts),
      sampling: samplingOf(config, parts),
    });
    if (isStepping) started.step();
    runner = started;
    void started.ended.then(() => {
      if (runner === started) runner = null;
      judges?.dispose();
    });
  };

  return {
    begin,
    end: async () => {
      const ending = runner;
      await ending?.stop();
      if (runner === ending) runner = null;
    },
    isRunning: () => runner !== null,
    withPolicy: async (look) => {
      sources.refuseWhileAsked();
      return seePolicy(look, { runner, last, loaded: sources.loaded(), run: runs });
    },
    trained: async () => {
      let trained = last;
      await runner?.atMilestone(async ({ step, save }) => {
        if (runningConfig === null) return;
        const checkpoint = { runId: "", step, activeMs: 0, tensors: await save(), rounds: null };
        trained = { config: runningConfig, checkpoint };
      });
      return trained === null || trained.checkpoint.step === 0 ? null : trained;
    },
    told: () => told,
    last: () => last,
    setLast: (run) => {
      last = run;
    },
    handlers: {
      pause: () => {
        needRunner().pause();
        return null;
      },
      resume: () => {
        needRunner().resume();
        return null;
      },
      step: () => {
        needRunner().step();
        return null;
      },
      setLive: (changes) => {
        if (live !== null) Object.assign(live, changes);
        // What is saved or continued from here on was trained with the changed settings.
        if (runner !== null && runningConfig !== null) runningConfig = { ...runningConfig, ...changes };
        return null;
      },
      sampleNow: async () => {
        sources.refuseWhileAsked();
        await needRunner().sample();
        return null;
      },
      inspectPair: async ({ pairIndex }) => {
        sources.refuseWhileAsked();
        const settings = { loaded: model(), data: data(), pairIndex };
        let answer: Commands["inspectPair"]["answer"] | null = null;
        if (runner !== null) {
          await runner.atMilestone(async ({ weights }) => {
            answer = await inspectPair(settings, { weights });
          });
        }
        return answer ?? inspectPair(settings, last ?? { weights: null });
      },
      retryJudges: () => {
        needRunner().retryJudges();
        return null;
      },
      exportRound: ({ record }) => {
        // Prompts that are conversations, by what is shown of them.
        const turns = new Map(data().trainRows.map((row) => [promptText(row), row.prompt]));
        return roundFiles(record, turns);
      },
    },
  };
}
