/** Answers questions about judges: which there are, reward models, the endpoint, and what a judge says of an answer. */
import { judges as programs } from "../engine/judges/index.ts";
import { judgeCards } from "../engine/judges/judgeCards.ts";
import type { DeskSources } from "./featureDesk.ts";
import { refuse } from "./errorReport.ts";
import type { FetchFile } from "./library.ts";
import type { RunConfig } from "../engine/training/config.ts";
import type { OnlineCommands, Preflight, WorkerEvent } from "./protocol.ts";
import type { OpenJudges } from "./runDesk.ts";
import type { OwnData } from "./runSettings.ts";
import type { Handlers } from "./session.ts";

/** What the desk needs of the session; `model` and `data` refuse while nothing is loaded. */
export interface JudgeDeskSources extends Pick<DeskSources, "model" | "alone" | "withPolicy" | "isRunning"> {
  readonly data: () => OwnData;
  readonly fetchFile: FetchFile;
  readonly emit: (event: WorkerEvent) => void;
}

/** The desk: a handler of every command about judges. */
export interface JudgeDesk {
  readonly handlers: Pick<Handlers, Exclude<keyof OnlineCommands, "retryJudges" | "exportRound">>;
  /** The judges of a run, which the caller disposes at its end. */
  readonly judgesFor: (
    config: RunConfig,
    at: { readonly emit: (event: WorkerEvent) => void; readonly runId: string },
  ) => Promise<OpenJudges>;
  /** What keeps the judges of a configuration from judging. */
  readonly problemsOf: (config: RunConfig) => Preflight["problems"];
}

/** Opens the desk. */
export function createJudgeDesk(_sources: JudgeDeskSources): JudgeDesk {
  const notYet = () => refuse("CFG-1", "There is no reward model yet.");
  return {
    judgesFor: () => refuse("CFG-1", "There are no judges yet."),
    problemsOf: () => [],
    handlers: {
      listJudges: () => ({
        kinds: judgeCards,
        programs: Object.entries(programs).map(([id, { label, help }]) => ({ id, label, help })),
        rewardModels: [],
        endpoint: null,
      }),
      trainRewardModel: notYet,
      stopRewardModel: () => null,
      saveRewardModel: notYet,
      openRewardModel: notYet,
      removeRewardModel: () => null,
      setEndpoint: () => null,
      scoreAnswers: notYet,
      giveJudgement: () => null,
    },
  };
}
