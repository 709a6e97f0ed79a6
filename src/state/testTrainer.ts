/** A trainer for tests of the page: it answers every command, records it, and says what a test tells it to. */
import type { PairScores } from "../engine/training/evaluate.ts";
import type {
  CommandName,
  Commands,
  ErrorReport,
  ProbePoints,
  Request,
  SaeSummary,
  WorkerEvent,
} from "../worker/protocol.ts";
import type { WorkerPort } from "../worker/rpc.ts";
import { testDataAnswers } from "./testDataAnswers.ts";
import { testOnlineAnswers } from "./testOnlineAnswers.ts";
import { testModelAnswers } from "./testModelAnswers.ts";
import { testDescription } from "./testDescription.ts";

type Answers = { [Name in keyof Commands]: Commands[Name]["answer"] };

const testSae: SaeSummary = {
  id: "story-2",
  label: "Story, after the last layer",
  origin: "embedded",
  layer: 2,
  hook: "blocks.2.hook_resid_post",
  width: 3,
  inputSize: 96,
  modelName: "story",
  sizeBytes: 2_400,
  print: "2-abc",
  hasDecoder: true,
};

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
    weights: { bytesByLayout: { f32: 2_400_000 }, rounding: [] },
    sae: testSae,
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
    readPairs: 640,
    steps: [],
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
  exportProject: [{ name: "train.py", bytes: new TextEncoder().encode("print()") }],
  listSaes: { atHand: [testSae], embedded: [testSae] },
  loadSae: testSae,
  featureTable: {
    sae: testSae,
    positions: 400,
    names: ["laughed", "cried", ""],
    density: Float32Array.of(0.02, 0.3, 0),
    mean: Float32Array.of(0.1, 0.2, 0),
    max: Float32Array.of(4, 2, 0),
    chosenMean: Float32Array.of(0.3, 0.1, 0),
    rejectedMean: Float32Array.of(0.1, 0.4, 0),
    l0: 8,
    unexplained: 0.06,
  },
  featureDetail: {
    sae: "story-2",
    feature: 0,
    name: "laughed",
    positions: 400,
    edges: Float32Array.of(0, 2, 4),
    before: {
      density: 0.02,
      counts: Float32Array.of(6, 2),
      chosen: Float32Array.of(0.5, 0.1),
      rejected: Float32Array.of(0, 0.2),
    },
    after: null,
    positive: [{ token: " laughed", logit: 1.9 }],
    negative: [{ token: " cried", logit: -1.4 }],
    intervals: [
      {
        from: 2,
        to: 4,
        share: 0.25,
        examples: [
          {
            tokens: [" and", " they", " laughed"],
            activations: Float32Array.of(0, 0.5, 4),
            after: null,
            peak: 2,
            side: "chosen",
          },
        ],
      },
    ],
  },
  promptFeatures: {
    sae: "story-2",
    policy: "reference",
    tokens: ["<s>", " they", " laughed"],
    isStart: [true, false, false],
    features: Int32Array.of(0, 1),
    names: ["laughed", "cried"],
    activations: Float32Array.of(0, 0, 0.5, 1, 4, 0),
    l0: Float32Array.of(0, 2, 1),
    unexplained: Float32Array.of(0, 0.1, 0.05),
  },
  changeReport: {
    sae: "story-2",
    step: 60,
    answers: 128,
    permutations: 2000,
    tested: 2,
    changes: [
      {
        feature: 0,
        name: "laughed",
        before: 0.2,
        after: 0.8,
        chosenChange: 0.9,
        rejectedChange: 0.3,
        pValue: 0.0005,
        isFinding: true,
      },
      {
        feature: 1,
        name: "cried",
        before: 0.25,
        after: 0.24,
        chosenChange: 0,
        rejectedChange: -0.02,
        pValue: 0.6,
        isFinding: false,
      },
    ],
    silent: 1,
    l0: { before: 8, after: 8.5 },
    unexplained: { before: 0.06, after: 0.08 },
  },
  steer: { plain: " She cried.", steered: " She laughed." },
  trainSae: null,
  pauseSae: null,
  exportSae: [],
  ...testModelAnswers,
  ...testDataAnswers,
  ...testOnlineAnswers,
};

/** One fake worker with its record of questions. */
export class TestTrainer {
  readonly asked: Request[] = [];
  readonly refusals = new Map<string, ErrorReport>();
  /** Answers that a test gives in place of those above, worked out from the question. */
  readonly answers: { [Name in CommandName]?: (question: Commands[Name]["question"]) => Answers[Name] } = {};
  private readonly listeners = new Map<string, (event: unknown) => void>();

  /** The worker as a connection sees it. */
  readonly port = {
    postMessage: (request: Request) => {
      this.asked.push(request);
      const error = this.refusals.get(request.name);
      const { id } = request;
      this.post(
        error ? { kind: "error", id, error } : { kind: "answer", id, answer: this.answerTo(request) },
      );
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

  private answerTo({ name, question }: Request): unknown {
    const answer = this.answers[name] as ((question: unknown) => unknown) | undefined;
    return answer === undefined ? testAnswers[name] : answer(question);
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
