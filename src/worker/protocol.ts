/**
 * Everything that crosses the wall between the page and the trainer. `Commands` maps a name to its question
 * and answer; `WorkerEvent` is what the trainer says unasked. All of it is plain data: a recorded list of
 * events is a demo run, a test fixture and a bug report.
 */
import type { RunConfig } from "../engine/training/config.ts";
import type { PairScores } from "../engine/training/evaluate.ts";
import type { FileBytes } from "../engine/files/fileBytes.ts";
import type { RoundsCheckpoint } from "../engine/online/onlineSetup.ts";
import type { DataCommands, DataSummary, PairText } from "./dataProtocol.ts";
import type { Description } from "./description.ts";
import type { FeatureCommands, SaeSummary, SaeTrainingEvent } from "./featureProtocol.ts";
import type { LossAxis, LossSurface } from "./lossLab.ts";
import type { DownloadEvent, LoadingEvent, ModelCommands, WeightReport } from "./modelProtocol.ts";
import type {
  JudgementEvent,
  OnlineCommands,
  OnlineEvaluationEvent,
  RewardModelEvent,
  RoundEvent,
} from "./onlineProtocol.ts";

export { isLoopback, isOpen } from "../engine/judges/endpointWay.ts";
export { noAddress, noRewardModel } from "../engine/judges/missingJudge.ts";
export type * from "./dataProtocol.ts";
export type * from "./featureProtocol.ts";
export type * from "./modelProtocol.ts";
export type * from "./onlineProtocol.ts";
export type { LossAxis, LossSurface } from "./lossLab.ts";

/** What the trainer can be doing, in one word each. */
export const phases = [
  "waking",
  "ready",
  "generating",
  "judging",
  "caching-ref",
  "training",
  "evaluating",
  "paused",
  "saving",
  "recovering",
  "done",
  "stopped",
  "failed",
] as const;

/** One word for what the trainer is doing. */
export type Phase = (typeof phases)[number];

/** What can become of the reference's numbers, in one word each. */
export const referenceStatuses = ["reused", "stale", "damaged", "computed", "notKept"] as const;

/** Codes of the messages a person can meet (texts: ui/messages.ts). */
export const messageCodes = [
  "GPU-1",
  "GPU-1b",
  "GPU-2",
  "GPU-3",
  "GPU-4",
  "MEM-1",
  "NUM-1",
  "NUM-2",
  "WRK-1",
  "FIL-1",
  "FIL-2",
  "DAT-1",
  "DAT-2",
  "DAT-3",
  "LNK-1",
  "CFG-1",
  "RUN-1",
  "NET-1",
  "STO-1",
  "GPU-5",
] as const;

/** Code of a message. */
export type MessageCode = (typeof messageCodes)[number];

/** An error as plain data; classes are rebuilt on the other side. */
export interface ErrorReport {
  readonly name: string;
  readonly code: MessageCode;
  readonly message: string;
  readonly details: Readonly<Record<string, string | number>>;
}

/** What the trainer runs on. */
export interface BackendReport {
  readonly backend: "webgpu" | "cpu";
  /** Short name for the chip, such as "apple m2" or "CPU". */
  readonly label: string;
  readonly isSoftware: boolean;
  readonly hasShaderF16: boolean;
  /** Why WebGPU is not used; null when it is, or when the cpu was asked for. */
  readonly reason: "no-gpu-api" | "insecure-context" | "no-adapter" | null;
  readonly maxBufferBytes: number;
  /** The copyable report: vendor, architecture, features, limits. */
  readonly details: Readonly<Record<string, string>>;
}

/** The loaded model. */
export interface ModelSummary {
  readonly id: string;
  readonly label: string;
  readonly architecture: string;
  readonly parameters: number;
  readonly layers: number;
  readonly hiddenSize: number;
  readonly vocabularySize: number;
  readonly maxPositions: number;
  readonly sizeBytes: number;
  readonly weights: WeightReport;
  /** The sparse autoencoder that came along with it; null where there is none. */
  readonly sae: SaeSummary | null;
}

/** What a run will cost, before it starts. */
export interface Preflight {
  readonly trainableParameters: number;
  readonly baseParameters: number;
  readonly effectiveBatchPairs: number;
  readonly forwardPassesPerStep: number;
  readonly referenceBytes: number;
  /** Of a mean training pair; 0 where the reference runs within every step. */
  readonly referenceBytesPerPair: number;
  /** Pairs whose reference is to be scored before the first step, because it is not remembered yet. */
  readonly unscoredPairs: number;
  /** Whether the layers of the largest batch are kept whole for the way back, or computed again. */
  readonly keeps: "everything" | "layerInputs";
  /** Rows of a mean batch as it is laid out, and with a prompt of its own for every answer. */
  readonly rowsPerBatch: number;
  readonly rowsPerBatchUnshared: number;
  readonly dispatchesPerBatch: number;
  readonly memoryBytes: Readonly<Record<"weights" | "adapter" | "activations" | "evaluation", number>>;
  /** Timed on this machine; null until the speed was measured. */
  readonly secondsPerStep: number | null;
  readonly problems: readonly { readonly field: string; readonly message: string }[];
}

/** What the steps of a run hold on the device, as it turned out before the first of them. */
export interface StepRoom {
  readonly keeps: Preflight["keeps"];
  /** Why: the setup asks for it, whole layers are small, they are large, or the device had no room for them. */
  readonly reason: "asked" | "small" | "large" | "noRoom" | "tape";
  /** What recorded steps hold; 0 where steps are not recorded. */
  readonly bytes: number;
  /** What the layers of the largest batch take when they are kept whole. */
  readonly layerBytes: number;
}

/** Metric values of one optimizer step, by TRL's names; measured before the step's update. */
export interface StepRecord {
  readonly step: number;
  /** Milliseconds spent in steps since the start: no pauses and evaluations, but what compiling delays a step. */
  readonly activeMs: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** Log-ratios of the probe pairs against the reference, one entry per held-out pair. */
export interface ProbePoints {
  readonly pairIndex: Int32Array;
  readonly chosenDelta: Float32Array;
  readonly rejectedDelta: Float32Array;
}

/** One generated answer. */
export interface Sample {
  readonly prompt: string;
  readonly mode: "greedy" | "seeded";
  readonly text: string;
  readonly tokens: readonly string[];
  /** log p(policy) − log p(reference) of each token. */
  readonly tokenDeltas: readonly number[];
  readonly judgeScore: number | null;
}

/** State that continues a run exactly: adapter, optimizer moments and position. */
export interface Checkpoint {
  readonly runId: string;
  readonly step: number;
  readonly activeMs: number;
  readonly tensors: Readonly<Record<string, Float32Array>>;
  /** Where the rounds of an online run are; null offline. */
  readonly rounds: RoundsCheckpoint | null;
}

/** One token of a pair as trained. */
export interface TokenScore {
  readonly text: string;
  readonly isScored: boolean;
  readonly logp: number;
  readonly referenceLogp: number;
}

/** A probe pair under the microscope. */
export interface PairInspection {
  readonly pairIndex: number;
  readonly text: PairText;
  readonly chosen: readonly TokenScore[];
  readonly rejected: readonly TokenScore[];
}

/** A file that leaves the studio. */
export interface ExportedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** An autoencoder of a run, and how many of the run's features are its own. */
export interface MeasuredSae {
  readonly id: string;
  readonly width: number;
}

/** Mean pooled activation of every feature over the held-out answers, under the policy. */
export interface EvaluatedFeatures {
  /** The autoencoders, whose features are numbered one after another. */
  readonly saes: readonly MeasuredSae[];
  readonly chosen: Float32Array;
  readonly rejected: Float32Array;
}

/** Files from the person's disk, read on the page and handed over. */
export interface LocalFile {
  readonly name: string;
  /** In memory, or where they lie on the disk. */
  readonly bytes: FileBytes;
}

/** Faults that tests and the curious can ask for in the address; ignored otherwise. */
export interface Injection {
  readonly kind: "nan" | "zero" | "oom" | "kill" | "hang" | "no-gpu" | "no-adapter";
  readonly step: number;
}

/** Commands: name → what is asked and what comes back. */
export interface Commands extends FeatureCommands, ModelCommands, DataCommands, OnlineCommands {
  /** Opens the device; called first, and again to change or restart the backend. */
  open: {
    question: { backend: RunConfig["backend"]; isSecure: boolean; injections: readonly Injection[] };
    answer: BackendReport;
  };
  describe: { question: null; answer: Description };
  loadModel: {
    question: { id: string; files: readonly LocalFile[] | null; weights: RunConfig["baseWeights"] };
    answer: ModelSummary;
  };
  loadData: {
    question: {
      id: string;
      objective: string;
      files: readonly LocalFile[] | null;
      maxTokens: number;
      terminator: RunConfig["terminator"];
      layout: string;
      columns: Readonly<Record<string, string>>;
      steps: RunConfig["dataSteps"];
    };
    answer: DataSummary;
  };
  preflight: { question: { config: RunConfig }; answer: Preflight };
  /** Greedy answers of the untouched model to the first prompts; none while a run has the device. */
  preview: {
    question: { config: RunConfig };
    answer: { samples: readonly Sample[]; meanJudgeScore: number | null };
  };
  /** Times a few steps on a throwaway adapter, which compiles the shaders; null when something else needed the device. */
  warmUp: { question: { config: RunConfig }; answer: { secondsPerStep: number | null } };
  start: {
    question: {
      runId: string;
      config: RunConfig;
      resume: Checkpoint | null;
      /** Takes one step and pauses, instead of going on. */
      isStepping: boolean;
    };
    answer: null;
  };
  pause: { question: null; answer: null };
  resume: { question: null; answer: null };
  /** Lets the run take exactly one optimizer step, then pauses it. */
  step: { question: null; answer: null };
  stop: { question: null; answer: null };
  /** Settings that apply to the running run. */
  setLive: { question: { learningRate?: number; evalEvery?: number }; answer: null };
  sampleNow: { question: null; answer: null };
  inspectPair: { question: { pairIndex: number }; answer: PairInspection };
  /** Needs no run and disturbs none. */
  lossSurface: { question: { config: RunConfig; axis: LossAxis }; answer: LossSurface };
  exportAdapter: { question: null; answer: readonly ExportedFile[] };
  /** The setup as a project for TRL and PEFT, with what its runs start from: a script, its data and an adapter. */
  exportProject: { question: { config: RunConfig }; answer: readonly ExportedFile[] };
}

/** What became of the reference's numbers; it belongs to the loaded model and data, not to a run. */
export interface ReferenceEvent {
  readonly type: "reference";
  /**
   * Kept numbers were `reused`, or not because they belong to something else (`stale`) or cannot be read (`damaged`);
   * numbers were `computed`, and if need be `notKept` for the next visit.
   */
  readonly status: (typeof referenceStatuses)[number];
  /** Stale: what differs, in plain words; damaged and notKept: one sentence; "" otherwise. */
  readonly reason: string;
  /** Pairs of the kept file, or pairs that were computed. */
  readonly pairs: number;
  /** Of the file, or of the memory where no file is written. */
  readonly bytes: number;
  /** Milliseconds that computing the numbers took, as measured at the time; 0 when unknown. */
  readonly ms: number;
}

/** What the trainer says unasked. */
export type WorkerEvent =
  | { readonly type: "heartbeat" }
  /** The device is gone without anybody asking, and with it everything that was loaded. */
  | { readonly type: "deviceLost"; readonly reason: string }
  | ReferenceEvent
  | SaeTrainingEvent
  | DownloadEvent
  | LoadingEvent
  | RoundEvent
  | OnlineEvaluationEvent
  | JudgementEvent
  | RewardModelEvent
  | {
      readonly type: "phase";
      readonly runId: string;
      readonly phase: Phase;
      readonly step: number;
      /** Work inside the phase, such as reference pairs; null when it has no count. */
      readonly progress: { readonly done: number; readonly total: number } | null;
    }
  | { readonly type: "room"; readonly runId: string; readonly room: StepRoom }
  | { readonly type: "steps"; readonly runId: string; readonly steps: readonly StepRecord[] }
  | {
      readonly type: "evaluation";
      readonly runId: string;
      readonly step: number;
      readonly activeMs: number;
      /** Names carry the prefix `eval_`. */
      readonly metrics: Readonly<Record<string, number>>;
      readonly points: ProbePoints;
      readonly scores: PairScores;
      /** Null without an autoencoder. */
      readonly features: EvaluatedFeatures | null;
    }
  | {
      readonly type: "samples";
      readonly runId: string;
      readonly step: number;
      readonly samples: readonly Sample[];
      readonly meanJudgeScore: number | null;
      /** Diagnostics of the seeded answers. */
      readonly metrics: Readonly<Record<string, number>>;
    }
  | { readonly type: "checkpoint"; readonly checkpoint: Checkpoint }
  | {
      readonly type: "failed";
      readonly runId: string;
      readonly step: number;
      /** Step of the last checkpoint that can be resumed; null when there is none. */
      readonly lastGoodStep: number | null;
      readonly error: ErrorReport;
    };

/** Name of a command. */
export type CommandName = keyof Commands;

/** What travels from page to worker. */
export interface Request<Name extends CommandName = CommandName> {
  readonly id: number;
  readonly name: Name;
  readonly question: Commands[Name]["question"];
}

/** What travels from worker to page. */
export type Reply =
  | { readonly kind: "answer"; readonly id: number; readonly answer: unknown }
  | { readonly kind: "error"; readonly id: number; readonly error: ErrorReport }
  | { readonly kind: "event"; readonly event: WorkerEvent };
