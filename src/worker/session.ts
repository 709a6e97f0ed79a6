/** The trainer behind the wall: one device, one model, one preference set, one run at a time. */
import { referenceWeights } from "../engine/models/weights.ts";
import type { Device } from "../engine/tensor/device.ts";
import type { RunConfig } from "../engine/training/config.ts";
import { followedPrompts, meanScore, samplePrompts } from "../engine/training/samples.ts";
import type { FileStore } from "../storage/fileStore.ts";
import { reportBackend } from "./backendReport.ts";
import { configProblems, objectiveOf, refuseOtherModel, refuseOtherPairs } from "./configProblems.ts";
import { describeStudio } from "./description.ts";
import { lossReason, refuse } from "./errorReport.ts";
import { exportFiles } from "./exportFiles.ts";
import { exportProject } from "./exportProject.ts";
import { createFeatureDesk } from "./featureDesk.ts";
import { createTamper } from "./injection.ts";
import { openReference, type OwnModel } from "./keptReference.ts";
import { identify, loadData, loadOnto, summarizeModel, tellLoading, type FetchFile } from "./library.ts";
import { createDataDesk } from "./dataDesk.ts";
import { createJudgeDesk } from "./judgeDesk.ts";
import { createModelDesk } from "./modelDesk.ts";
import type { LoadedFiles } from "./adapterDesk.ts";
import type { LoadedModel } from "../engine/models/loadModel.ts";
import { weightsPerplexity } from "./weightsPerplexity.ts";
import { lossSurface } from "./lossLab.ts";
import { openBackend } from "./openBackend.ts";
import { preflight } from "./preflight.ts";
import { numericsOf } from "./referenceIdentity.ts";
import type { CommandName, Commands, WorkerEvent } from "./protocol.ts";
import { promptsOf, samplingOf, trainingRun, type OwnData, type RunParts } from "./runSettings.ts";
import { createRunDesk } from "./runDesk.ts";
import { measureStep, speedKey } from "./speed.ts";
import { createTurns } from "./turns.ts";

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
  /** Where the reference's numbers are kept between visits; absent: nowhere. */
  readonly store?: Promise<FileStore>;
}

/** A throwaway run that compiles the shaders and then measures the speed; objectives that compare pairs need two. */
const warmUpRun = { steps: 2, evalEvery: 0, evalPairs: 2, seed: 0, rounds: 0 };

/** Creates the session; nothing is opened until the page asks. */
export function createSession({ emit, fetchFile, store }: SessionOptions): Handlers {
  let device: Device | null = null;
  let model: OwnModel | null = null;
  /** What the model was loaded from. */
  let origin: Pick<LoadedFiles, "files" | "weights" | "license"> | null = null;
  let data: OwnData | null = null;
  let tamper = createTamper([]);
  /** The run waits for a person's judgement. */
  let isAsked = false;
  const { alone, ahead, isComingUp } = createTurns();
  let speed: { readonly key: string; readonly secondsPerStep: number } | null = null;

  const tell = (event: WorkerEvent) => {
    // Whatever comes after the reference pass tells that it is over.
    if (event.type === "phase" && (event.phase === "evaluating" || event.phase === "training")) {
      void data?.kept.keep();
    }
    emit(event);
  };
  const ask = (event: WorkerEvent) => {
    if (event.type === "judgement") isAsked = event.question !== null;
    emit(event);
  };
  const needDevice = () => device ?? refuse("CFG-1", "No device is open.");
  const needModel = () => model ?? refuse("CFG-1", "No model is loaded. Load a model first.");
  const needData = () => data ?? refuse("CFG-1", "No preference pairs are loaded. Choose a dataset first.");
  const run = createRunDesk({
    emit: tell,
    model: needModel,
    loaded: () => model,
    data: needData,
    tamper: () => tamper,
    refuseWhileAsked: () => {
      if (!isAsked) return;
      refuse("RUN-1", "The round waits for your judgement: give it on the Online screen, or stop the run.");
    },
  });
  const { withPolicy, isRunning } = run;
  const desk = createFeatureDesk({
    model: needModel,
    data: needData,
    fetchFile,
    alone,
    withPolicy,
    isRunning: () => isRunning() || isComingUp(),
    emit,
  });
  const models = createModelDesk({
    store,
    emit,
    fetchFile,
    device: () => device,
    loaded: () =>
      model === null || origin === null ? null : { id: model.id, model: model.model, ...origin },
    replace: (stood) => {
      model = { ...needModel(), model: stood };
      forgetFunction();
    },
    run: async () => {
      const trained = await run.trained();
      return trained === null ? null : { ...trained, ...run.told() };
    },
    isRunning,
    alone: (change) => alonePaused(change),
  });
  const sets = { fetchFile, openHubData: models.hub.openHubData };
  const dataDesk = createDataDesk({
    ...sets,
    model: needModel,
    data: needData,
    alone,
    withPolicy,
    inspectHubData: models.hub.inspectHubData,
  });
  const judges = createJudgeDesk({
    fetchFile,
    emit,
    model: needModel,
    data: needData,
    withPolicy,
    alone: (change) => alonePaused(change),
    isRunning,
  });
  const refuseDuringTraining = () => {
    const sentence = judges.training();
    if (sentence !== null) refuse("RUN-1", sentence);
  };
  /** Changes what trainings beside a run work on: refused to one of a reward model, the end of one of an autoencoder. */
  const afterTraining = <Answer>(change: () => Promise<Answer>): Promise<Answer> =>
    ahead(async () => {
      refuseDuringTraining();
      await desk.forgetTraining();
      return alone(change);
    });
  /** Changes something for which a training of an autoencoder lets go of the device. */
  const alonePaused = <Answer>(change: () => Promise<Answer>): Promise<Answer> =>
    ahead(async () => {
      await desk.pause();
      return alone(change);
    });
  /** Forgets what was measured on the model and what was trained on it, because it is another function now. */
  const forgetFunction = () => {
    void desk.forgetTraining();
    desk.forgetCorpora();
    run.setLast(null);
    speed = null;
  };
  const forgetModel = () => {
    desk.clear();
    models.forget();
    run.setLast(null);
    [model, origin, data, speed] = [null, null, null, null];
  };
  const partsOf = (config: RunConfig): RunParts => ({
    owner: needModel(),
    data: needData(),
    features: desk.featuresOf(config).source,
  });
  const start = async (question: Commands["start"]["question"]): Promise<null> => {
    const { config } = question;
    refuseOtherModel(config, { id: needModel().id, weights: origin?.weights ?? "keep" });
    refuseOtherPairs(config, needData());
    await models.provide(config.adapters);
    await desk.provide(config);
    const parts = { loaded: needModel(), data: needData(), features: desk.featuresOf(config) };
    const [problem] = [...configProblems(config, parts), ...judges.problemsOf(config)];
    if (problem !== undefined) refuse("CFG-1", problem.message);
    await run.end();
    desk.sweep();
    // What an earlier run asked too much of the device is no fault of this one.
    device?.takeErrors();
    const opened =
      config.rounds === 0 ? null : await judges.judgesFor(config, { emit: ask, runId: question.runId });
    try {
      run.begin(question, partsOf(config), opened);
    } catch (error) {
      opened?.dispose();
      throw error;
    }
    return null;
  };

  return {
    open: (question) =>
      afterTraining(async () => {
        await run.end();
        await data?.kept.settled();
        const previous = model;
        forgetModel();
        previous?.dispose();
        device?.close();
        device = null;
        tamper = createTamper(question.injections);
        const opened = await openBackend(question);
        device = opened;
        void opened.lost.then(({ message }) => {
          if (device !== opened) return;
          void judges.handlers.stopRewardModel(null);
          emit({ type: "deviceLost", reason: lossReason(message) });
        });
        return reportBackend(opened, question);
      }),
    describe: describeStudio,
    loadModel: ({ id, files: given, weights }) =>
      afterTraining(async () => {
        const onto = needDevice();
        const { files, label, license } =
          given === null ? await models.filesOf(id) : { files: given, label: "Local model", license: null };
        if (!isRunning()) onto.takeErrors();
        const loaded = await loadOnto(onto, files, { weights, onProgress: tellLoading(emit) });
        // Nothing was shipped for a person's own weights, nor for rounded ones.
        const isShipped = label === null && loaded.weights.rounding.length === 0;
        const identity = await identify(files, { weights, isShipped }).catch((error: unknown) => {
          loaded.dispose();
          throw error;
        });
        await run.end();
        // Files of one name must not be written at once.
        await data?.kept.settled();
        const previous = model;
        forgetModel();
        previous?.dispose();
        origin = { files, weights, license };
        model = { ...loaded, ...identity, id };
        // A model is there without its autoencoder, too; whoever asks for that hears what is wrong with it.
        const sae = await desk.welcome(model).catch(() => null);
        return { ...summarizeModel(id, loaded, label), sae };
      }),
    loadData: (question) =>
      afterTraining(async () => {
        const [owner, opened] = [needModel(), needDevice()];
        // Choosing pairs by their likeness takes the device.
        if (question.steps.some(({ kind }) => kind === "select")) await run.end();
        const loaded = await loadData(question, owner, sets);
        await run.end();
        speed = null;
        await data?.kept.settled();
        data = {
          ...loaded,
          kept: await openReference(owner, loaded, {
            store: await store,
            numerics: numericsOf(opened),
            emit,
          }),
        };
        return loaded.summary;
      }),
    preflight: async ({ config }) => {
      if (desk.lacks(config)) await alone(() => desk.provide(config));
      const [loaded, data] = [needModel(), needData()];
      const priced = preflight(config, {
        loaded,
        data,
        kept: data.kept,
        features: desk.featuresOf(config),
        speed,
      });
      return { ...priced, problems: [...priced.problems, ...judges.problemsOf(config)] };
    },
    preview: ({ config }) =>
      alone(async () => {
        if (isRunning()) return { samples: [], meanJudgeScore: null };
        const untouched = referenceWeights(needModel().model);
        const samples = await samplePrompts(
          samplingOf(config, { owner: needModel(), data: needData() }),
          untouched,
          promptsOf(needData(), followedPrompts),
          "greedy",
        );
        return { samples, meanJudgeScore: meanScore(samples) };
      }),
    warmUp: ({ config }) =>
      alone(async (isOvertaken) => {
        // A run tells its own speed, and is not stopped to measure it.
        if (isRunning()) return { secondsPerStep: null };
        device?.takeErrors();
        await desk.provide(config);
        const throwaway = trainingRun({ ...config, ...warmUpRun }, partsOf(config));
        const secondsPerStep = await measureStep(throwaway, isOvertaken);
        if (secondsPerStep !== null) speed = { key: speedKey(config, throwaway.objective), secondsPerStep };
        return { secondsPerStep };
      }),
    start: async (question) => {
      refuseDuringTraining();
      return alonePaused(() => start(question));
    },
    stop: () => {
      // At once, and not behind a question that waits for the run's next milestone.
      void run.end();
      return alone(async () => {
        await run.end();
        return null;
      });
    },
    lossSurface: ({ config, axis }) => {
      const pairs = data === null ? null : { heldout: data.heldout, reference: data.kept.cache };
      return lossSurface(objectiveOf(config), config.params, { axis, pairs });
    },
    exportAdapter: async () => {
      const trained = await run.trained();
      if (trained === null) refuse("RUN-1", "There is nothing to save yet: train at least one step.");
      return exportFiles(needModel(), trained);
    },
    exportProject: ({ config }) =>
      alone(async () => {
        await desk.provide(config);
        return exportProject(config, {
          owner: needModel(),
          data: needData(),
          features: desk.featuresOf(config),
          saveSae: desk.saveSae,
        });
      }),
    ...desk.handlers,
    ...models.handlers,
    weightsPerplexity: () =>
      alonePaused(async () => {
        if (isRunning()) refuse("RUN-1", "A run is going on. Stop it first, then measure the weights.");
        const [loaded, heldout] = [needModel(), needData().heldout];
        if (origin === null) return refuse("CFG-1", "No model is loaded. Load a model first.");
        const { files, weights } = origin;
        const standing = models.standing().adapters;
        const trained = run.last();
        const replace = async (again: LoadedModel | null) => {
          void desk.forgetTraining();
          models.forget();
          if (again === null) {
            forgetModel();
            // The page has to load everything again, as after the loss of a device.
            emit({ type: "deviceLost", reason: "the model could not be loaded again" });
            return;
          }
          model = { ...loaded, ...again };
          await models.provide(standing);
          run.setLast(trained);
        };
        return weightsPerplexity({ device: needDevice(), loaded, files, weights, heldout, replace });
      }),
    ...dataDesk,
    ...judges.handlers,
    ...run.handlers,
  };
}
