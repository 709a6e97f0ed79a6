/** The trainer behind the wall: one device, one model, one preference set, one run at a time. */
import { embeddedDatasets, embeddedModels } from "../engine/data/embedded.ts";
import { objectives } from "../engine/losses/index.ts";
import { loadModel, type LoadedModel } from "../engine/models/loadModel.ts";
import { createReferenceCache, type ReferenceCache } from "../engine/reference/referenceCache.ts";
import { openDevice, type Device } from "../engine/tensor/device.ts";
import type { RunConfig } from "../engine/training/config.ts";
import { estimateRun } from "../engine/training/estimate.ts";
import { presets } from "../engine/training/presets.ts";
import { train, type TrainingRun } from "../engine/training/train.ts";
import { reportBackend } from "./backendReport.ts";
import { configProblems, objectiveOf } from "./configProblems.ts";
import { refuse } from "./errorReport.ts";
import { exportFiles } from "./exportFiles.ts";
import { createTamper } from "./injection.ts";
import { inspectPair } from "./inspectPair.ts";
import {
  embeddedModelFiles,
  loadData,
  promptText,
  summarizeModel,
  type FetchFile,
  type LoadedData,
  weightsFingerprint,
} from "./library.ts";
import type { Checkpoint, CommandName, Commands, Injection, WorkerEvent } from "./protocol.ts";
import { startRunner, type Runner } from "./runner.ts";

/** A handler for every command: one that is missing does not compile. */
export type Handlers = {
  readonly [Name in CommandName]: (
    question: Commands[Name]["question"],
  ) => Promise<Commands[Name]["answer"]> | Commands[Name]["answer"];
};

/** What the session needs from where it lives. */
export interface SessionOptions {
  readonly emit: (event: WorkerEvent) => void;
  readonly fetchFile: FetchFile;
}

/** Steps of a throwaway run that compile the shaders and then measure the speed. */
const WARM_UP_STEPS = 2;

/** Creates the session; nothing is opened until the page asks. */
export function createSession({ emit, fetchFile }: SessionOptions): Handlers {
  let device: Device | null = null;
  let model: (LoadedModel & { readonly id: string; readonly fingerprint: string }) | null = null;
  let data: (LoadedData & { readonly reference: ReferenceCache }) | null = null;
  let runner: Runner | null = null;
  let injections: readonly Injection[] = [];
  let last: { readonly config: RunConfig; readonly checkpoint: Checkpoint } | null = null;
  let runningConfig: RunConfig | null = null;
  let speed: { readonly key: string; readonly secondsPerStep: number } | null = null;

  const tell = (event: WorkerEvent) => {
    if (event.type === "checkpoint" && runningConfig) {
      last = { config: runningConfig, checkpoint: event.checkpoint };
    }
    emit(event);
  };
  const needModel = () => model ?? refuse("CFG-1", "No model is loaded. Load a model first.");
  const needData = () => data ?? refuse("CFG-1", "No preference pairs are loaded. Choose a dataset first.");
  const needRunner = () => runner ?? refuse("RUN-1", "Nothing is being trained. Press Train first.");
  const endRun = async () => {
    await runner?.stop();
    runner = null;
  };

  const trainingRun = (config: RunConfig): TrainingRun => {
    const { model: weights } = needModel();
    const pairs = needData();
    return {
      model: weights,
      config,
      objective: objectiveOf(config),
      trainPairs: pairs.train,
      heldoutPairs: pairs.heldout,
      reference: pairs.reference,
      live: { learningRate: config.learningRate, evalEvery: config.evalEvery },
      tamper: createTamper(injections),
    };
  };
  let live: TrainingRun["live"] | null = null;

  return {
    open: async (question) => {
      await endRun();
      model?.dispose();
      model = null;
      data = null;
      speed = null;
      device?.close();
      ({ injections } = question);
      const isDenied = injections.some(({ kind }) => kind === "no-gpu" || kind === "no-adapter");
      device = await openDevice({ backend: isDenied ? "cpu" : question.backend });
      return reportBackend(device, question);
    },
    describe: () => ({
      objectives: Object.values(objectives).map(({ compute: _compute, ...card }) => card),
      datasets: embeddedDatasets.map(({ id, label, sentence, objectives: aims }) => ({
        id,
        label,
        sentence,
        objectives: [...aims],
      })),
      models: embeddedModels.map(({ id, label }) => ({ id, label })),
      presets,
    }),
    loadModel: async ({ id, files }) => {
      if (device === null) return refuse("CFG-1", "No device is open.");
      await endRun();
      const opened = files ?? (await embeddedModelFiles(id, fetchFile));
      const loaded = loadModel(opened);
      model?.dispose();
      model = { ...loaded, id, fingerprint: weightsFingerprint(opened) };
      data = null;
      speed = null;
      return summarizeModel(id, loaded);
    },
    loadData: async (question) => {
      const owner = needModel();
      const loaded = await loadData(question, owner, fetchFile);
      await endRun();
      data = { ...loaded, reference: createReferenceCache(loaded.shipped, owner.fingerprint) };
      return loaded.summary;
    },
    preflight: ({ config }) => {
      const { model: weights } = needModel();
      const estimate = estimateRun(weights, config, needData());
      const secondsPerStep = speed?.key === speedKey(config) ? speed.secondsPerStep : null;
      return { ...estimate, secondsPerStep, problems: configProblems(config, needModel()) };
    },
    warmUp: async ({ config }) => {
      const run = trainingRun({ ...config, steps: WARM_UP_STEPS, evalEvery: 0, evalPairs: 1, seed: 0 });
      const { tamper: _tamper, ...untampered } = run;
      let startedAt = performance.now();
      let seconds = 0;
      for await (const report of train(untampered)) {
        if (report.kind === "step") seconds = (performance.now() - startedAt) / 1000;
        if (runner !== null) break;
        await new Promise((resolve) => setTimeout(resolve));
        startedAt = performance.now();
      }
      speed = { key: speedKey(config), secondsPerStep: seconds };
      return { secondsPerStep: seconds };
    },
    start: async ({ runId, config, resume }) => {
      await endRun();
      const loaded = needModel();
      const pairs = needData();
      if (config.model !== loaded.id) refuse("CFG-1", `The model "${config.model}" is not loaded.`);
      if (config.data !== pairs.id) refuse("CFG-1", `The preference set "${config.data}" is not loaded.`);
      const [problem] = configProblems(config, loaded);
      if (problem !== undefined) refuse("CFG-1", problem.message);
      const run = trainingRun(config);
      ({ live } = run);
      runningConfig = config;
      last = resume === null ? null : { config, checkpoint: resume };
      runner = startRunner({
        runId,
        run: resume === null ? run : { ...run, resume },
        activeMs: resume?.activeMs ?? 0,
        emit: tell,
        prompts: pairs.heldout.slice(0, config.samplePrompts).map((pair) => ({
          text: promptText(pairs.heldoutRows[pair.row]),
          ids: pair.prompt,
        })),
        sampling: {
          model: loaded.model,
          tokenizer: loaded.tokenizer,
          judge: pairs.judge,
          maxNewTokens: config.sampleTokens,
          temperature: config.sampleTemperature,
          seed: config.seed,
        },
      });
      const started = runner;
      void started.ended.then(() => {
        if (runner === started) runner = null;
      });
      return null;
    },
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
    stop: async () => {
      await endRun();
      return null;
    },
    setLive: (changes) => {
      if (live !== null) Object.assign(live, changes);
      return null;
    },
    sampleNow: async () => {
      await needRunner().sample();
      return null;
    },
    inspectPair: async ({ pairIndex }) => {
      const settings = { loaded: needModel(), data: needData(), pairIndex };
      let answer: Commands["inspectPair"]["answer"] | null = null;
      if (runner !== null) {
        await runner.atMilestone(async ({ weights }) => {
          answer = await inspectPair(settings, { weights });
        });
      }
      return answer ?? inspectPair(settings, last ?? { weights: null });
    },
    exportAdapter: async () => {
      await runner?.atMilestone(async ({ step, save }) => {
        if (runningConfig === null) return;
        const tensors = await save();
        last = { config: runningConfig, checkpoint: { runId: "", step, activeMs: 0, tensors } };
      });
      if (last === null) return refuse("RUN-1", "There is nothing to save yet: train at least one step.");
      return exportFiles(needModel(), last);
    },
  };
}

/** Settings that change how long a step takes. */
function speedKey(config: RunConfig): string {
  const { model, data, objective, tuning, loraRank, loraTargets, batchPairs, accumulationSteps, maxTokens } =
    config;
  const parts = [
    model,
    data,
    objective,
    tuning,
    loraRank,
    loraTargets,
    batchPairs,
    accumulationSteps,
    maxTokens,
  ];
  return JSON.stringify(parts);
}
