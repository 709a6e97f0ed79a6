/**
 * What is done to a preference set before it is tokenised, as plain data: a list of steps in order belongs to a run's
 * configuration, so that a set can be made again. Importing this file pulls in no engine code.
 */
import * as z from "zod/mini";

/** What a set is checked for. */
export const healthChecks = [
  "nearIdentical",
  "duplicate",
  "conflict",
  "longerChosen",
  "truncated",
  "leakage",
  "equalScores",
] as const;

/** A check of a set's health. */
export type HealthCheck = (typeof healthChecks)[number];

const count = z.int().check(z.gte(1), z.lte(10_000_000));
const share = z.number().check(z.gte(0), z.lte(1));
const seed = z.int().check(z.gte(0), z.lte(2_147_483_647));

/** One change to a set. Rows are named by their place in the set as it was read, training and held-out rows together. */
export const dataStepSchema = z.discriminatedUnion("kind", [
  /** Leaves out the rows that a check names; never done unasked. */
  z.strictObject({ kind: z.literal("drop"), check: z.enum(healthChecks) }),
  /** So many training pairs: drawn, or those with the largest or smallest judged gap or the shortest answers. */
  z.strictObject({
    kind: z.literal("subset"),
    pairs: count,
    by: z.enum(["random", "largestGap", "smallestGap", "shortest"]),
    seed,
  }),
  /** Deita: by score, and only if no kept prompt and answer is more alike than `similarity` (cosine). */
  z.strictObject({ kind: z.literal("select"), pairs: count, similarity: share }),
  /** Reward-conditioned relabelling: every scored pair twice, under the goal of each of its scores. */
  z.strictObject({ kind: z.literal("relabel") }),
  /** Mixes in other sets: `share` of the training pairs come from the set `data` (an embedded set's id) and objective. */
  z.strictObject({ kind: z.literal("mix"), data: z.string(), objective: z.string(), share, seed }),
  /** Swaps the answers of a share of the training pairs: noise for experiments. */
  z.strictObject({ kind: z.literal("flip"), share, seed }),
  /** A person's own text in place of a row's (CLAIR: the smallest revision that makes it better). */
  z.strictObject({
    kind: z.literal("revise"),
    row: z.int().check(z.gte(0)),
    chosen: z.optional(z.string()),
    rejected: z.optional(z.string()),
  }),
]);

/** A change to a set. */
export type DataStep = z.infer<typeof dataStepSchema>;
