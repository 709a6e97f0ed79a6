/** The part of the protocol that is about judges and the rounds of an online run. */
import type { Verdict } from "../engine/judges/answerJudge.ts";
import type { JudgeCard } from "../engine/judges/judgeCards.ts";
import type { JudgeSpec } from "../engine/judges/judgeSpec.ts";
import type { OnlineEvaluation, RoundRecord } from "../engine/online/roundRecord.ts";
import type { RewardModelQuality, RewardModelSettings } from "../engine/rewardModel/settings.ts";
import type { FileBytes } from "../engine/files/fileBytes.ts";

export type * from "../engine/online/roundRecord.ts";
export type { RewardModelQuality, RewardModelSettings } from "../engine/rewardModel/settings.ts";
export type { JudgeSpec, WeightedJudge } from "../engine/judges/judgeSpec.ts";
export type { JudgeCard, JudgeField } from "../engine/judges/judgeCards.ts";
export type { Verdict } from "../engine/judges/answerJudge.ts";

/** A reward model at hand. */
export interface RewardModelSummary {
  readonly id: string;
  readonly label: string;
  readonly origin: "embedded" | "trained" | "opened";
  /** Null where the file says nothing of it. */
  readonly quality: RewardModelQuality | null;
  readonly sizeBytes: number;
  /** Why it cannot judge the loaded model's answers; "" where it can. */
  readonly problem: string;
}

/** A judge that comes with the studio. */
export interface ProgramCard {
  readonly id: string;
  readonly label: string;
  readonly help: string;
}

/** A language model that judges from afar. What is typed here stays in the worker's memory until the page is closed. */
export interface JudgeEndpoint {
  /** The address up to and without `/chat/completions`. */
  readonly url: string;
  readonly model: string;
  /** The secret; "" where none is needed. */
  readonly key: string;
  /** What is asked for, in the person's words. */
  readonly rubric: string;
}

/** The endpoint without its secret. */
export interface EndpointSummary extends Omit<JudgeEndpoint, "key"> {
  readonly hasKey: boolean;
  /** What is sent there, in one sentence. */
  readonly sends: string;
}

/** The judges that there are. */
export interface JudgeList {
  /** Every kind of judge, for choosing one. */
  readonly kinds: readonly JudgeCard[];
  readonly programs: readonly ProgramCard[];
  readonly rewardModels: readonly RewardModelSummary[];
  /** Null where none was typed in. */
  readonly endpoint: EndpointSummary | null;
}

/** Answers that a person is to judge: the best and the worst of each group. */
export interface JudgementQuestion {
  readonly id: number;
  readonly groups: readonly { readonly prompt: string; readonly answers: readonly string[] }[];
}

/** Commands about judges and rounds; part of `Commands`. */
export interface OnlineCommands {
  listJudges: { question: null; answer: JudgeList };
  /** Trains a reward model on the loaded pairs; progress comes as events. Refused while a run goes on. */
  trainRewardModel: { question: { settings: RewardModelSettings }; answer: RewardModelSummary };
  /** Ends the training under way and keeps nothing of it. */
  stopRewardModel: { question: null; answer: null };
  saveRewardModel: {
    question: { id: string };
    answer: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  };
  openRewardModel: {
    question: { files: readonly { readonly name: string; readonly bytes: FileBytes }[] };
    answer: RewardModelSummary;
  };
  removeRewardModel: { question: { id: string }; answer: null };
  /** Where the judge `endpoint` is; null forgets it. */
  setEndpoint: { question: { endpoint: JudgeEndpoint | null }; answer: null };
  /** Scores answers without a run: the box that a judge is tried in. */
  scoreAnswers: {
    question: {
      judge: JudgeSpec;
      items: readonly { readonly prompt: string; readonly answer: string }[];
    };
    answer: readonly Verdict[];
  };
  /** A person's answer to a `judgement` event: places of the best and the worst answer of each group, null for no choice. */
  giveJudgement: {
    question: {
      id: number;
      choices: readonly ({ readonly best: number; readonly worst: number } | null)[];
    };
    answer: null;
  };
  /** Asks the judges again for the answers of the paused round that they could not score. */
  retryJudges: { question: null; answer: null };
  /** The pairs of a round, as TRL's JSON lines. */
  exportRound: {
    question: { record: RoundRecord };
    answer: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  };
}

/** A round of the run as it stands: told when its pairs are there, when judges failed, and when its steps are taken. */
export interface RoundEvent {
  readonly type: "round";
  readonly runId: string;
  readonly record: RoundRecord;
}

/** How the policy answers held-out prompts, before the first round and after every one. */
export interface OnlineEvaluationEvent {
  readonly type: "onlineEvaluation";
  readonly runId: string;
  readonly evaluation: OnlineEvaluation;
}

/** Answers that wait for a person; null when they do not any more. */
export interface JudgementEvent {
  readonly type: "judgement";
  readonly runId: string;
  readonly question: JudgementQuestion | null;
}

/** How far the training of a reward model has come. */
export interface RewardModelEvent {
  readonly type: "rewardModel";
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  /** Share of the step's pairs in which the chosen answer has the higher reward. */
  readonly accuracy: number;
}
