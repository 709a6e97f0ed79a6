/** A trainer for tests of the page: it answers every command, records it, and says what a test tells it to. */
import type { PairScores } from "../engine/training/evaluate.ts";
import type { Commands, ErrorReport, ProbePoints, Request, WorkerEvent } from "../worker/protocol.ts";
import type { WorkerPort } from "../worker/rpc.ts";
import { testDescription } from "./testDescription.ts";

type Answers = { [Name in keyof Commands]: Commands[Name]["answer"] };

/** What the trainer answers unless a test says otherwise. */
export const testAnswers: Answers = {
  open: {
    backend: "webgpu",
    label: "test gpu",
    isSoftware: false,
    hasShaderF16: true,
    reason: null,
    maxBufferBytes: 2 ** 30,
    details: { vendor: "test" },
  },
  describe: testDescription,
  loadModel: {
    id: "story",
    label: "story-0.6M",
    architecture: "llama",
    parameters: 600_000,
    layers: 4,
    hiddenSize: 96,
    vocabularySize: 2048,
    maxPositions: 256,
    sizeBytes: 2_400_000,
  },
  loadData: {
    id: "kind-endings",
    label: "Kind endings",
    objective: "",
    trainPairs: 512,
    heldoutPairs: 128,
    meanChosenTokens: 18,
    meanRejectedTokens: 18,
    examples: [{ prompt: "Lily lost her ball.", chosen: "Tom helped her.", rejected: "Tom laughed." }],
    promptChips: ["Lily lost her ball."],
    notes: [],
    healthMessage: null,
    truncatedPrompts: 0,
    answersApart: 0,
    judge: "kindness lexicon",
  },
  preflight: {
    trainableParameters: 18_432,
    baseParameters: 600_000,
    effectiveBatchPairs: 8,
    forwardPassesPerStep: 2,
    keeps: "everything",
    rowsPerBatch: 320,
    rowsPerBatchUnshared: 400,
    dispatchesPerBatch: 80,
    referenceBytes: 4096,
    referenceBytesPerPair: 16,
    unscoredPairs: 0,
    memoryBytes: {
      weights: 2_400_000,
      adapter: 300_000,
      activations: 9_000_000,
      evaluation: 100_000,
    },
    secondsPerStep: 0.1,
    problems: [],
  },
  preview: { samples: [], meanJudgeScore: null },
  warmUp: { secondsPerStep: 0.1 },
  start: null,
  pause: null,
  resume: null,
  step: null,
  stop: null,
  setLive: null,
  sampleNow: null,
  inspectPair: {
    pairIndex: 0,
    text: { prompt: "p", chosen: "c", rejected: "r" },
    chosen: [],
    rejected: [],
  },
  lossSurface: {
    losses: Float32Array.of(0.7, 0.4, 1.1, 0.7),
    chosenSlope: Float32Array.of(-0.2, -0.1, -0.3, -0.2),
    rejectedSlope: Float32Array.of(0.2, 0.1, 0.3, 0.2),
    pair: {
      chosenTokens: 18,
      rejectedTokens: 19,
      chosenReference: -21,
      rejectedReference: -24,
      isMeasured: true,
    },
    held: [],
  },
  exportAdapter: [],
};

/** One fake worker with its record of questions. */
export class TestTrainer {
  readonly asked: Request[] = [];
  readonly refusals = new Map<string, ErrorReport>();
  private readonly listeners = new Map<string, (event: unknown) => void>();

  /** The worker as a connection sees it. */
  readonly port = {
    postMessage: (request: Request) => {
      this.asked.push(request);
      const error = this.refusals.get(request.name);
      const { id, name } = request;
      this.post(error ? { kind: "error", id, error } : { kind: "answer", id, answer: testAnswers[name] });
    },
    addEventListener: (name: string, listener: (event: unknown) => void) => {
      this.listeners.set(name, listener);
    },
    terminate: () => undefined,
  } as unknown as WorkerPort;

  /** Says something unasked. */
  say(event: WorkerEvent): void {
    this.listeners.get("message")?.({ data: { kind: "event", event } });
  }

  /** Dies with an uncaught error. */
  die(message: string): void {
    this.listeners.get("error")?.({ message });
  }

  /** The questions of one command, in order. */
  questions(name: string): unknown[] {
    return this.asked.filter((request) => request.name === name).map(({ question }) => question);
  }

  private post(reply: unknown): void {
    queueMicrotask(() => this.listeners.get("message")?.({ data: reply }));
  }
}

/** Probe points whose mean lies at the given place. */
export function testPoints(x: number, y: number): ProbePoints {
  return {
    pairIndex: Int32Array.of(0, 1),
    chosenDelta: Float32Array.of(x - 1, x + 1),
    rejectedDelta: Float32Array.of(y - 1, y + 1),
  };
}

/** Scores of two pairs with nothing measured. */
export const testScores: PairScores = {
  chosenTokens: Float32Array.of(1, 1),
  rejectedTokens: Float32Array.of(1, 1),
  chosenLogps: Float32Array.of(0, 0),
  rejectedLogps: Float32Array.of(0, 0),
  losses: Float32Array.of(0, 0),
  arguments: new Float32Array(),
  chosenRewards: new Float32Array(),
  rejectedRewards: new Float32Array(),
};
