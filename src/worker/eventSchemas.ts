/** Checks of what the worker says unasked: every event has the form the protocol promises. */
import * as z from "zod/mini";
import { messageCodes, phases, referenceStatuses } from "./protocol.ts";

const floats = z.instanceof(Float32Array);
/** A checkpoint, in whichever direction it travels. */
export const checkpoint = z.strictObject({
  runId: z.string(),
  step: z.number(),
  activeMs: z.number(),
  tensors: z.record(z.string(), z.instanceof(Float32Array)),
  rounds: z.nullable(
    z.strictObject({ state: z.string(), reference: z.record(z.string(), z.instanceof(Float32Array)) }),
  ),
});
const saeSummary = z.strictObject({
  id: z.string(),
  label: z.string(),
  origin: z.enum(["embedded", "opened", "trained"]),
  layer: z.number(),
  hook: z.string(),
  width: z.number(),
  inputSize: z.number(),
  modelName: z.nullable(z.string()),
  sizeBytes: z.number(),
  print: z.string(),
  hasDecoder: z.boolean(),
});
const measuredSae = z.strictObject({ id: z.string(), width: z.number() });
/** Measured numbers: those of a run that went wrong may be NaN or infinite, and must still be heard of. */
const measured = z.custom<number>((value) => typeof value === "number");
const metrics = z.record(z.string(), measured);
const code = z.enum(messageCodes);
/** An error as plain data. */
export const errorReport = z.strictObject({
  name: z.string(),
  code,
  message: z.string(),
  details: z.record(z.string(), z.union([z.string(), z.number()])),
});

const scoredPair = z.strictObject({
  chosen: z.string(),
  rejected: z.string(),
  chosenScore: z.number(),
  rejectedScore: z.number(),
  drawnIn: z.number(),
});
/** A round, in whichever direction it travels. */
export const roundRecord = z.strictObject({
  round: z.number(),
  step: z.number(),
  prompts: z.array(
    z.strictObject({
      prompt: z.string(),
      isRegenerated: z.boolean(),
      before: z.nullable(scoredPair),
      now: z.nullable(scoredPair),
      reason: z.enum(["", "equalScores", "equalTexts", "judgeFailed", "emptyAnswers"]),
    }),
  ),
  failures: z.array(
    z.strictObject({ judge: z.string(), prompt: z.string(), answer: z.string(), reason: z.string() }),
  ),
  generatedTokens: z.number(),
  savedTokens: z.number(),
  seconds: z.strictObject({
    generate: z.number(),
    score: z.number(),
    reference: z.number(),
    train: z.number(),
    evaluate: z.number(),
  }),
  isSettled: z.boolean(),
  isOver: z.boolean(),
  metrics,
});
const meanScore = z.nullable(
  z.strictObject({ mean: z.number(), low: z.nullable(z.number()), high: z.nullable(z.number()) }),
);
const onlineEvaluation = z.strictObject({
  rounds: z.number(),
  step: z.number(),
  endsRun: z.boolean(),
  seconds: z.number(),
  proxy: meanScore,
  heldout: meanScore,
  failures: z.array(z.strictObject({ judge: z.string(), reason: z.string(), answers: z.number() })),
  winRate: z.nullable(
    z.strictObject({
      share: z.number(),
      low: z.number(),
      high: z.number(),
      prompts: z.number(),
      ties: z.number(),
    }),
  ),
  metrics,
  samples: z.array(
    z.strictObject({
      prompt: z.string(),
      answer: z.string(),
      proxy: z.nullable(z.number()),
      heldout: z.nullable(z.number()),
    }),
  ),
  bestOf: z.array(z.strictObject({ n: z.number(), proxy: z.number(), heldout: z.nullable(z.number()) })),
});

/** What the worker says unasked. */
export const event = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("heartbeat") }),
  z.strictObject({ type: z.literal("deviceLost"), reason: z.string() }),
  z.strictObject({
    type: z.literal("reference"),
    status: z.enum(referenceStatuses),
    reason: z.string(),
    pairs: z.number(),
    bytes: z.number(),
    ms: z.number(),
  }),
  z.strictObject({
    type: z.literal("phase"),
    runId: z.string(),
    phase: z.enum(phases),
    step: z.number(),
    progress: z.nullable(z.strictObject({ done: z.number(), total: z.number() })),
  }),
  z.strictObject({
    type: z.literal("room"),
    runId: z.string(),
    room: z.strictObject({
      keeps: z.enum(["everything", "layerInputs"]),
      reason: z.enum(["asked", "small", "large", "noRoom", "tape"]),
      bytes: z.number(),
      layerBytes: z.number(),
    }),
  }),
  z.strictObject({
    type: z.literal("steps"),
    runId: z.string(),
    steps: z.array(z.strictObject({ step: z.number(), activeMs: z.number(), metrics })),
  }),
  z.strictObject({
    type: z.literal("evaluation"),
    runId: z.string(),
    step: z.number(),
    activeMs: z.number(),
    metrics,
    points: z.strictObject({
      pairIndex: z.instanceof(Int32Array),
      chosenDelta: floats,
      rejectedDelta: floats,
    }),
    scores: z.strictObject({
      chosenTokens: floats,
      rejectedTokens: floats,
      chosenLogps: floats,
      rejectedLogps: floats,
      losses: floats,
      arguments: floats,
      chosenRewards: floats,
      rejectedRewards: floats,
    }),
    features: z.nullable(z.strictObject({ saes: z.array(measuredSae), chosen: floats, rejected: floats })),
  }),
  z.strictObject({
    type: z.literal("sae"),
    status: z.enum(["collecting", "training", "paused", "done", "failed"]),
    step: z.number(),
    steps: z.number(),
    metrics,
    reason: z.string(),
    sae: z.nullable(saeSummary),
  }),
  z.strictObject({
    type: z.literal("download"),
    id: z.string(),
    status: z.enum(["downloading", "checking", "paused", "done", "failed"]),
    files: z.array(z.strictObject({ name: z.string(), doneBytes: z.number(), totalBytes: z.number() })),
    doneBytes: z.number(),
    totalBytes: z.number(),
    bytesPerSecond: z.nullable(z.number()),
    secondsLeft: z.nullable(z.number()),
    reason: z.string(),
  }),
  z.strictObject({ type: z.literal("loading"), doneBytes: z.number(), totalBytes: z.number() }),
  z.strictObject({
    type: z.literal("samples"),
    runId: z.string(),
    step: z.number(),
    samples: z.array(
      z.strictObject({
        prompt: z.string(),
        mode: z.enum(["greedy", "seeded"]),
        text: z.string(),
        tokens: z.array(z.string()),
        tokenDeltas: z.array(measured),
        judgeScore: z.nullable(z.number()),
      }),
    ),
    meanJudgeScore: z.nullable(z.number()),
    metrics,
  }),
  z.strictObject({ type: z.literal("round"), runId: z.string(), record: roundRecord }),
  z.strictObject({ type: z.literal("onlineEvaluation"), runId: z.string(), evaluation: onlineEvaluation }),
  z.strictObject({
    type: z.literal("judgement"),
    runId: z.string(),
    question: z.nullable(
      z.strictObject({
        id: z.number(),
        groups: z.array(z.strictObject({ prompt: z.string(), answers: z.array(z.string()) })),
      }),
    ),
  }),
  z.strictObject({
    type: z.literal("rewardModel"),
    step: z.number(),
    steps: z.number(),
    loss: measured,
    accuracy: measured,
  }),
  z.strictObject({ type: z.literal("checkpoint"), checkpoint }),
  z.strictObject({
    type: z.literal("failed"),
    runId: z.string(),
    step: z.number(),
    lastGoodStep: z.nullable(z.number()),
    error: errorReport,
  }),
]);
