/** Checks at the wall: what arrives has the form the protocol promises, or the message is refused. */
import * as z from "zod/mini";
import { healthChecks } from "../engine/data/steps/dataStep.ts";
import { judgeSpecSchema } from "../engine/judges/judgeSpec.ts";
import { runConfigSchema } from "../engine/training/config.ts";
import { checkpoint, errorReport, event, roundRecord } from "./eventSchemas.ts";
import { exportKinds } from "./modelProtocol.ts";
import type { CommandName, Reply, Request } from "./protocol.ts";

const bytes = z.instanceof(Uint8Array);
const localFile = z.strictObject({ name: z.string(), bytes: z.union([bytes, z.instanceof(Blob)]) });
const localFiles = z.nullable(z.array(localFile));
const named = z.strictObject({ id: z.string() });
const lookedAt = z.enum(["reference", "policy"]);
/** Most places of a loss surface along one axis: more would keep a run waiting. */
const LARGEST_SURFACE = 129;

const rewardModelSettings = z.strictObject({
  label: z.string(),
  steps: z.int(),
  batchPairs: z.int(),
  learningRate: z.number(),
  loraRank: z.int(),
  loraAlpha: z.number(),
  centering: z.number(),
  seed: z.int(),
});
const choice = z.strictObject({ best: z.int(), worst: z.int() });

const questions = {
  open: z.strictObject({
    backend: runConfigSchema.shape.backend,
    isSecure: z.boolean(),
    injections: z.array(
      z.strictObject({
        kind: z.enum(["nan", "zero", "oom", "kill", "hang", "no-gpu", "no-adapter"]),
        step: z.number(),
      }),
    ),
  }),
  describe: z.null(),
  loadModel: z.strictObject({
    id: z.string(),
    files: localFiles,
    weights: runConfigSchema.shape.baseWeights,
  }),
  loadData: z.strictObject({
    id: z.string(),
    objective: z.string(),
    files: localFiles,
    maxTokens: z.number(),
    terminator: runConfigSchema.shape.terminator,
    layout: z.string(),
    columns: runConfigSchema.shape.dataColumns,
    steps: runConfigSchema.shape.dataSteps,
  }),
  preflight: z.strictObject({ config: runConfigSchema }),
  preview: z.strictObject({ config: runConfigSchema }),
  warmUp: z.strictObject({ config: runConfigSchema }),
  start: z.strictObject({
    runId: z.string(),
    config: runConfigSchema,
    resume: z.nullable(checkpoint),
    isStepping: z.boolean(),
  }),
  pause: z.null(),
  resume: z.null(),
  step: z.null(),
  stop: z.null(),
  setLive: z.strictObject({
    learningRate: z.optional(runConfigSchema.shape.learningRate),
    evalEvery: z.optional(runConfigSchema.shape.evalEvery),
  }),
  sampleNow: z.null(),
  inspectPair: z.strictObject({ pairIndex: z.int() }),
  lossSurface: z.strictObject({
    config: runConfigSchema,
    axis: z.strictObject({
      minimum: z.number(),
      maximum: z.number(),
      cells: z.int().check(z.gte(2), z.lte(LARGEST_SURFACE)),
    }),
  }),
  exportAdapter: z.null(),
  exportProject: z.strictObject({ config: runConfigSchema }),
  listSaes: z.null(),
  loadSae: z.strictObject({ id: z.string(), files: localFiles }),
  featureTable: z.strictObject({ sae: z.string() }),
  featureDetail: z.strictObject({ sae: z.string(), feature: z.int() }),
  promptFeatures: z.strictObject({ sae: z.string(), text: z.string(), policy: lookedAt }),
  changeReport: z.strictObject({ sae: z.string() }),
  steer: z.strictObject({
    steering: z.strictObject({
      sae: z.string(),
      feature: z.int(),
      mode: z.enum(["add", "clamp"]),
      value: z.number(),
    }),
    prompt: z.string(),
    policy: lookedAt,
    seed: z.int(),
    temperature: z.number(),
    maxNewTokens: z.int(),
  }),
  trainSae: z.strictObject({
    settings: z.strictObject({
      layer: z.int(),
      width: z.int(),
      k: z.int(),
      steps: z.int(),
      batchRows: z.int(),
      learningRate: z.number(),
      seed: z.int(),
    }),
    isContinued: z.boolean(),
    texts: z.nullable(localFile),
  }),
  pauseSae: z.null(),
  exportSae: z.strictObject({ sae: z.string() }),
  setHub: z.strictObject({ hubUrl: z.string(), token: z.nullable(z.string()) }),
  inspectHub: z.strictObject({ repo: z.string(), revision: z.string() }),
  downloadModel: named,
  pauseDownload: named,
  keepModel: z.strictObject({ label: z.string(), files: z.array(localFile) }),
  listShelf: z.null(),
  removeFromShelf: named,
  importAdapter: z.strictObject({ files: z.array(localFile) }),
  keepAdapter: z.strictObject({ label: z.string() }),
  useAdapters: z.strictObject({ adapters: runConfigSchema.shape.adapters }),
  exportModel: z.strictObject({ kind: z.enum(exportKinds), isZip: z.boolean() }),
  uploadModel: z.strictObject({ kind: z.enum(exportKinds), repo: z.string(), isPrivate: z.boolean() }),
  weightsPerplexity: z.null(),
  listLayouts: z.null(),
  readData: z.strictObject({
    id: z.string(),
    files: localFiles,
    layout: z.string(),
    columns: runConfigSchema.shape.dataColumns,
  }),
  inspectHubData: z.strictObject({ repo: z.string() }),
  dataHealth: z.null(),
  dataRows: z.strictObject({
    search: z.string(),
    split: z.enum(["all", "train", "heldout"]),
    flag: z.nullable(z.enum(healthChecks)),
    sortBy: z.enum(["row", "gap", "chosenTokens", "rejectedTokens"]),
    isDescending: z.boolean(),
    from: z.int(),
    count: z.int(),
  }),
  firstBatch: z.strictObject({ config: runConfigSchema }),
  sampleAnswers: z.strictObject({
    prompts: z.nullable(z.array(z.string())),
    count: z.int(),
    answersPerPrompt: z.int(),
    temperature: z.number(),
    maxNewTokens: z.int(),
    seed: z.int(),
  }),
  exportData: z.null(),
  listJudges: z.null(),
  trainRewardModel: z.strictObject({ settings: rewardModelSettings }),
  stopRewardModel: z.null(),
  saveRewardModel: named,
  openRewardModel: z.strictObject({ files: z.array(localFile) }),
  removeRewardModel: named,
  setEndpoint: z.strictObject({
    endpoint: z.nullable(
      z.strictObject({ url: z.string(), model: z.string(), key: z.string(), rubric: z.string() }),
    ),
  }),
  scoreAnswers: z.strictObject({
    judge: judgeSpecSchema,
    items: z.array(z.strictObject({ prompt: z.string(), answer: z.string() })),
  }),
  giveJudgement: z.strictObject({ id: z.int(), choices: z.array(z.nullable(choice)) }),
  retryJudges: z.null(),
  exportRound: z.strictObject({ record: roundRecord }),
} satisfies Record<CommandName, z.ZodMiniType>;

const replies = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("answer"), id: z.number(), answer: z.unknown() }),
  z.strictObject({ kind: z.literal("error"), id: z.number(), error: errorReport }),
  z.strictObject({ kind: z.literal("event"), event }),
]);

/** What may come out of the worker. */
export const replySchema: { parse: (data: unknown) => Reply } = replies;

/** Checks a message to the worker: a known command with a well-formed question. Throws with zod's reasons. */
export function parseRequest(data: unknown): Request {
  const envelope = z.strictObject({ id: z.number(), name: z.string(), question: z.unknown() }).parse(data);
  if (!(envelope.name in questions)) throw new Error(`Unknown command "${envelope.name}".`);
  const name = envelope.name as CommandName;
  return { id: envelope.id, name, question: questions[name].parse(envelope.question) } as Request;
}
