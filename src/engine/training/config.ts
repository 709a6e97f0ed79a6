/**
 * A run's whole configuration. The form, the worker message, the link, the saved run and the command line
 * are this one object. Pure data: importing this file pulls in no engine code.
 */
import * as z from "zod/mini";
import { dataStepSchema } from "../data/steps/dataStep.ts";
import { judgeSpecSchema, weightedJudgeSchema } from "../judges/judgeSpec.ts";

/** Module names a LoRA adapter can sit on, in Hugging Face's spelling. */
export const loraModules = [
  "q_proj",
  "k_proj",
  "v_proj",
  "o_proj",
  "gate_proj",
  "up_proj",
  "down_proj",
] as const;

const integer = (minimum: number, maximum: number) => z.int().check(z.gte(minimum), z.lte(maximum));
const real = (minimum: number, maximum: number) => z.number().check(z.gte(minimum), z.lte(maximum));

/** How the model's matrices lie on the device: as their file has them, or converted when they are loaded. */
export const baseWeights = ["keep", "f32", "f16", "q8", "q4"] as const;

/** Layout of a model's matrices. */
export type BaseWeights = (typeof baseWeights)[number];

/** Schema of a run's configuration; ranges are what the form offers and the worker accepts. */
export const runConfigSchema = z.strictObject({
  /** Embedded model's id, "local" for the files that were dropped, or the id of a model on the shelf. */
  model: z.string(),
  baseWeights: z.enum(baseWeights),
  /** Adapters on the shelf that stand on the model when a run starts: the run goes on with their sum, and its reference keeps them. */
  adapters: z.array(z.strictObject({ id: z.string(), scale: real(-8, 8) })).check(z.maxLength(16)),
  /** Embedded preference set's id, "local" for the file that was dropped, or a data set on the Hub (`hub:…`). */
  data: z.string(),
  /** Layout that the set is read with (`data/formats`); empty for the one that its columns tell. */
  dataLayout: z.string(),
  /** Columns that were named by hand: what a column is for → its name. */
  dataColumns: z.record(z.string(), z.string()),
  /** What is done to the set before it is tokenised, in order. */
  dataSteps: z.array(dataStepSchema).check(z.maxLength(1024)),
  /** Which labelled objective of the set is trained; empty when the set has one. */
  objective: z.string(),
  /** Key of `losses/index.ts`. */
  method: z.string(),
  /** The method's own knobs, by the keys it declares. */
  params: z.record(z.string(), z.number()),
  /** Features that an objective in its mode "held" holds, numbered from 0 through all autoencoders of the run. */
  heldFeatures: z.array(integer(0, 16_777_215)).check(z.maxLength(1024)),
  /** Ids of the autoencoders whose features are measured; empty for the one at hand. */
  saes: z.array(z.string()).check(z.maxLength(64)),
  /** Weight of an SFT term on the chosen answers beside the method (RPO); 0 leaves it out. */
  sftWeight: real(0, 100),
  /** A second method that is summed with the first; empty for none. Its knobs are `second.<key>` in `params`. */
  secondMethod: z.string(),
  /** What the losses of both methods are multiplied by. */
  methodWeight: real(0, 100),
  secondWeight: real(0, 100),
  /** Where the reference's numbers come from: remembered once, or computed with the adapters off in every step. */
  referenceMode: z.enum(["cached", "live"]),
  tuning: z.enum(["lora", "full"]),
  loraRank: integer(1, 128),
  loraAlpha: real(0.1, 512),
  loraDropout: real(0, 0.9),
  loraTargets: z.array(z.enum(loraModules)).check(z.minLength(1)),
  /** Only this many of the last layers carry adapters, and the backward pass ends at the first of them; 0 means all. */
  topLayers: integer(0, 1024),
  learningRate: real(0, 1),
  weightDecay: real(0, 1),
  /** Global gradient-norm limit; 0 switches clipping off. */
  maxGradNorm: real(0, 1000),
  schedule: z.enum(["constant", "linear", "cosine"]),
  warmupSteps: integer(0, 10_000),
  /** Optimizer steps. */
  steps: integer(1, 100_000),
  /** Pairs per micro-batch. */
  batchPairs: integer(1, 256),
  /** Micro-batches per optimizer step. */
  accumulationSteps: integer(1, 64),
  /** Both answers of a pair follow one copy of their prompt, which computes the same with fewer rows. */
  sharesPrompts: z.boolean(),
  /** Keep each layer's input only and compute the layer again on the way back; `auto` does so when memory asks for it. */
  checkpointing: z.enum(["auto", "on", "off"]),
  /** Longest prompt plus answer, in tokens. */
  maxTokens: integer(8, 8192),
  /** What ends an answer: the template or end-of-text token, or nothing. */
  terminator: z.enum(["auto", "eos", "none"]),
  isShuffled: z.boolean(),
  seed: integer(0, 2_147_483_647),
  /** Optimizer steps between held-out evaluations; 0 evaluates at the start and the end only. */
  evalEvery: integer(0, 100_000),
  /** Held-out pairs per evaluation; they are also the dots of the Pair Map. */
  evalPairs: integer(1, 4096),
  /** Held-out prompts sampled before and after the run; the first few are followed while it goes on. */
  samplePrompts: integer(1, 512),
  sampleTokens: integer(1, 512),
  sampleTemperature: real(0, 5),
  backend: z.enum(["auto", "webgpu", "cpu"]),
  /** Rounds of online training that the steps are divided into; 0 trains on the set's pairs alone. */
  rounds: integer(0, 100),
  /** Training prompts that rounds use, from the first on; 0 means all. */
  onlinePrompts: integer(0, 100_000),
  /** Where the pairs of the first round come from: drawn for every prompt, or the set's own, scored by the judges. */
  firstPairs: z.enum(["generated", "data"]),
  /** Share ρ of the prompts that every later round draws anew. */
  regeneratedShare: real(0, 1),
  /** Which prompts those are: the ones with the lowest key, or drawn evenly. */
  selection: z.enum(["lowest", "random"]),
  /** What a stored pair is ranked by: mean, best or worst score, or their gap. */
  rankingKey: z.enum(["mean", "best", "worst", "gap"]),
  /** Ranks by how far the key is above the prompt's key in the first round. */
  hasPromptBaseline: z.boolean(),
  /** Answers drawn for a prompt, of which the best and the worst become a pair. */
  answersPerPrompt: integer(2, 64),
  answerTemperature: real(0.01, 5),
  answerTopP: real(0.01, 1),
  /** Whether the reference moves to the policy at the start of every round, or stays the model that the run started from. */
  onlineReference: z.enum(["round", "initial"]),
  /** Judges that rank, choose and weigh; their scores are multiplied by their weights and added. Empty: the set's own. */
  judges: z.array(weightedJudgeSchema).check(z.maxLength(8)),
  /** The judge kept aside, which no selection and no weight sees; null: the set's own where `judges` does not use it. */
  heldoutJudge: z.nullable(judgeSpecSchema),
  /** Ends the run once the held-out judge has fallen so many rounds in a row; 0 never does. */
  declineRounds: integer(0, 100),
  /** What a round does when a judge could not score answers: wait for the person, or go on with the others. */
  onJudgeFailure: z.enum(["pause", "goOn"]),
});

/** A run's configuration. */
export type RunConfig = z.infer<typeof runConfigSchema>;

/** Starting point that every preset and link differs from; calibrated on the embedded model. */
export const defaultConfig: RunConfig = {
  model: "story",
  baseWeights: "keep",
  adapters: [],
  data: "kind-endings",
  dataLayout: "",
  dataColumns: {},
  dataSteps: [],
  objective: "",
  method: "dpo",
  params: { beta: 0.5 },
  heldFeatures: [],
  saes: [],
  sftWeight: 0,
  secondMethod: "",
  methodWeight: 1,
  secondWeight: 1,
  referenceMode: "cached",
  tuning: "lora",
  loraRank: 8,
  loraAlpha: 16,
  loraDropout: 0,
  loraTargets: [...loraModules],
  topLayers: 0,
  learningRate: 2e-3,
  weightDecay: 0,
  maxGradNorm: 1,
  schedule: "linear",
  warmupSteps: 5,
  steps: 60,
  batchPairs: 8,
  accumulationSteps: 1,
  sharesPrompts: true,
  checkpointing: "auto",
  maxTokens: 128,
  terminator: "auto",
  isShuffled: true,
  seed: 7,
  evalEvery: 10,
  evalPairs: 64,
  samplePrompts: 4,
  sampleTokens: 32,
  sampleTemperature: 0.7,
  backend: "auto",
  rounds: 0,
  onlinePrompts: 64,
  firstPairs: "generated",
  regeneratedShare: 0.5,
  selection: "lowest",
  rankingKey: "mean",
  hasPromptBaseline: false,
  answersPerPrompt: 4,
  answerTemperature: 1,
  answerTopP: 1,
  onlineReference: "round",
  judges: [],
  heldoutJudge: null,
  declineRounds: 0,
  onJudgeFailure: "pause",
};
