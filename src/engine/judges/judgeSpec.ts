/** Which judge scores an answer, as plain data of a configuration. Importing this file pulls in no engine code. */
import * as z from "zod/mini";

const words = z.array(z.string().check(z.minLength(1), z.maxLength(200))).check(z.maxLength(256));

/** A judge with its settings. What a person types for an endpoint is no setting: it never leaves the worker's memory. */
export const judgeSpecSchema = z.discriminatedUnion("kind", [
  /** A judge that comes with the studio, by its key in `judges/index.ts`. */
  z.strictObject({ kind: z.literal("program"), id: z.string() }),
  /** Counts words: each of `liked` adds one, each of `disliked` takes one away, as often as it stands there. */
  z.strictObject({ kind: z.literal("words"), liked: words, disliked: words }),
  /** How near an answer's length comes to so many words. */
  z.strictObject({ kind: z.literal("length"), words: z.int().check(z.gte(1), z.lte(10_000)) }),
  /** Whether an answer matches a regular expression: bare, or between slashes with its flags. */
  z.strictObject({ kind: z.literal("pattern"), pattern: z.string().check(z.maxLength(500)) }),
  /** What share of the texts wanted stands in the answer, minus the share of those to avoid. */
  z.strictObject({ kind: z.literal("contains"), wanted: words, avoided: words }),
  /** The policy's own log p(policy) − log p(reference), summed over the answer. */
  z.strictObject({ kind: z.literal("implicit") }),
  /** A reward model of the worker's list. */
  z.strictObject({ kind: z.literal("rewardModel"), id: z.string() }),
  /** The person at the screen. */
  z.strictObject({ kind: z.literal("person") }),
  /** A language model behind an OpenAI-compatible address. */
  z.strictObject({ kind: z.literal("endpoint") }),
]);

/** A judge with its settings. */
export type JudgeSpec = z.infer<typeof judgeSpecSchema>;

/** A judge among several: its scores count times its weight. */
export const weightedJudgeSchema = z.strictObject({
  judge: judgeSpecSchema,
  weight: z.number().check(z.gte(-100), z.lte(100)),
});

/** A judge among several. */
export type WeightedJudge = z.infer<typeof weightedJudgeSchema>;
