/** Answers questions about judges: which there are, reward models, the endpoint, and what a judge says of an answer. */
import type { Verdict } from "../engine/judges/answerJudge.ts";
import { judges as programs } from "../engine/judges/index.ts";
import { judgeCards } from "../engine/judges/judgeCards.ts";
import type { RunConfig } from "../engine/training/config.ts";
import type { DeskSources } from "./featureDesk.ts";
import { refuse, StudioError } from "./errorReport.ts";
import { checkedEndpoint, endpointSummary } from "./judges/endpointAddress.ts";
import { endpointDoor, type EndpointDoor } from "./judges/endpointRequest.ts";
import { judgeProblems, type JudgeProblem } from "./judges/judgeProblems.ts";
import { createPersonDesk } from "./judges/personJudge.ts";
import { createRewardShelf } from "./judges/rewardShelf.ts";
import { trainReward } from "./judges/rewardTrainer.ts";
import { openRunJudges } from "./judges/runJudges.ts";
import { tryJudge } from "./judges/tryJudge.ts";
import type { FetchFile } from "./library.ts";
import type { JudgeEndpoint, OnlineCommands, RewardModelEvent, WorkerEvent } from "./protocol.ts";
import type { OpenJudges } from "./runDesk.ts";
import type { OwnData } from "./runSettings.ts";
import type { Handlers } from "./session.ts";

/** What the desk needs of the session; `model` and `data` refuse while nothing is loaded. */
export interface JudgeDeskSources extends Pick<DeskSources, "model" | "alone" | "withPolicy" | "isRunning"> {
  readonly data: () => OwnData;
  readonly fetchFile: FetchFile;
  readonly emit: (event: WorkerEvent) => void;
  /** Left out: the browser's own. */
  readonly door?: EndpointDoor;
}

/** The desk: a handler of every command about judges, and the judges of a run. */
export interface JudgeDesk {
  readonly handlers: Pick<Handlers, Exclude<keyof OnlineCommands, "retryJudges" | "exportRound">>;
  /** The judges of a run, which the caller disposes at its end; refuses one that is not at hand. */
  readonly judgesFor: (
    config: RunConfig,
    at: { readonly emit: (event: WorkerEvent) => void; readonly runId: string },
  ) => Promise<OpenJudges>;
  /** What is said to whoever wants the device from a reward model that is being trained; null while none is. */
  readonly training: () => string | null;
  /** What keeps the rounds of a configuration from being judged; nothing for one without rounds. */
  readonly problemsOf: (config: RunConfig) => readonly JudgeProblem[];
}

/** Opens the desk. */
export function createJudgeDesk(sources: JudgeDeskSources): JudgeDesk {
  const { model, data, alone, emit, door = endpointDoor } = sources;
  const shelf = createRewardShelf(sources.fetchFile);
  const person = createPersonDesk();
  /** Held here alone: judges look it up for every call, send its key to its address, and neither write it down nor tell it. */
  let endpoint: JudgeEndpoint | null = null;
  let training: { readonly stop: AbortController; readonly steps: number; step: number } | null = null;
  const makings = { model, shelf, person, endpoint: () => endpoint, door };
  const loadedModel = () => {
    try {
      return model();
    } catch {
      return null;
    }
  };
  const train = (settings: OnlineCommands["trainRewardModel"]["question"]["settings"]) => {
    if (training !== null) refuse("RUN-1", "A reward model is being trained already: stop it first.");
    const own = { stop: new AbortController(), steps: settings.steps, step: 0 };
    training = own;
    const hear = (event: RewardModelEvent) => {
      own.step = event.step;
      emit(event);
    };
    const work = alone(async () => {
      if (sources.isRunning()) refuse("RUN-1", "A run is under way: stop it first, or wait for its end.");
      const { signal } = own.stop;
      signal.throwIfAborted();
      return shelf.put(await trainReward({ owner: model(), data: data(), settings, emit: hear, signal }));
    });
    return work.finally(() => {
      training = null;
    });
  };

  return {
    training: () => {
      // One that was told to stop lets go soon enough to be waited for.
      if (training === null || training.stop.signal.aborted) return null;
      const { step, steps } = training;
      return `A reward model is being trained (step ${step} of ${steps}): stop it on the Judges tab first, or wait.`;
    },
    judgesFor: (config, at) => openRunJudges(config, { ...makings, data: data() }, at),
    problemsOf: (config) => {
      const [owner, hasEndpoint] = [model(), endpoint !== null];
      const rewardProblem = (id: string) => shelf.problemOf(id, owner);
      return judgeProblems(config, { owner, data: data(), rewardProblem, hasEndpoint });
    },
    handlers: {
      listJudges: async () => ({
        kinds: judgeCards,
        programs: Object.entries(programs).map(([id, { label, help }]) => ({ id, label, help })),
        rewardModels: await shelf.list(loadedModel()),
        endpoint: endpoint === null ? null : endpointSummary(endpoint),
      }),
      trainRewardModel: ({ settings }) => train(settings),
      stopRewardModel: () => {
        training?.stop.abort(
          new StudioError("RUN-1", "The training was stopped: nothing of it is kept.", {}),
        );
        return null;
      },
      saveRewardModel: ({ id }) => shelf.save(id, model()),
      openRewardModel: ({ files }) => shelf.open(files, model()),
      removeRewardModel: ({ id }) => {
        shelf.remove(id);
        return null;
      },
      setEndpoint: (question) => {
        endpoint = question.endpoint === null ? null : checkedEndpoint(question.endpoint);
        return null;
      },
      scoreAnswers: (question): Promise<readonly Verdict[]> => tryJudge(question, { ...sources, ...makings }),
      giveJudgement: (given) => {
        person.give(given);
        return null;
      },
    },
  };
}
