/** The files of random tensors that released code, or the definition, has made losses and gradients of; for tests. */
import { readFixtureText } from "../testing/fixtures.ts";
import { objectives } from "./index.ts";
import type { Objective } from "./objective.ts";

/** Tensors of one side; position t scores the label at t + 1. */
export interface FixtureSide {
  /** [pairs, time, vocab] */
  readonly policyLogits: readonly number[];
  readonly referenceLogits: readonly number[];
  /** [pairs, time]; negative where nothing is scored. */
  readonly labels: readonly number[];
  /** [pairs, time, hidden]: what the autoencoder reads. */
  readonly policyHidden: readonly number[];
  readonly referenceHidden: readonly number[];
}

/** Sums per answer that the file's maker found. */
export interface FixtureStatistics {
  readonly sumLogps: readonly number[];
  readonly averageLogps: readonly number[];
  readonly scoredTokens: readonly number[];
  readonly sumReferenceLogps: readonly number[];
  readonly sequentialKl: readonly number[];
  readonly meanEntropy: number;
}

/** What an objective is to make of the tensors; gradients are of `meanLoss`. */
export interface Expected {
  readonly params: Readonly<Record<string, unknown>>;
  readonly losses: readonly number[];
  readonly meanLoss: number;
  readonly gradChosenLogits: readonly number[];
  readonly gradRejectedLogits: readonly number[];
  readonly rewardsChosen?: readonly number[];
  readonly rewardsRejected?: readonly number[];
  readonly repoRewardsChosen?: readonly number[];
  readonly repoRewardsRejected?: readonly number[];
  readonly sequentialKlChosen?: readonly number[];
  readonly sequentialKlRejected?: readonly number[];
  readonly featureMseChosen?: readonly number[];
  readonly featureMseRejected?: readonly number[];
  readonly gradChosenHidden?: readonly number[];
  readonly gradRejectedHidden?: readonly number[];
  readonly preferenceLosses?: readonly number[];
  readonly nll?: readonly number[];
  readonly kl?: readonly number[];
}

/** One file. */
export interface Fixture {
  readonly shape: {
    readonly pairs: number;
    readonly time: number;
    readonly vocab: number;
    readonly hidden: number;
    readonly features: number;
    readonly topK: number;
  };
  readonly chosen: FixtureSide;
  readonly rejected: FixtureSide;
  /** A JumpReLU autoencoder: [hidden, features], [features], [features]. */
  readonly sae: {
    readonly wEnc: readonly number[];
    readonly bEnc: readonly number[];
    readonly threshold: readonly number[];
  };
  readonly klPairs: { readonly policy: readonly number[]; readonly reference: readonly number[] };
  readonly statistics: { readonly chosen: FixtureStatistics; readonly rejected: FixtureStatistics };
  readonly expected: Readonly<Record<string, Expected>>;
}

/** Names of the files. */
export const fixtureNames = ["small", "padded", "peaky"] as const;

/** A file by its name; throws when it is missing. */
export async function readLossFixture(name: string): Promise<Fixture> {
  const text = await readFixtureText(`losses/${name}.json`);
  if (text === null) throw new Error(`The fixture losses/${name}.json is missing.`);
  return JSON.parse(text) as Fixture;
}

/** What a key of the files is here; without knobs of its own, those of the file are taken. */
interface FixtureCase {
  readonly id: keyof typeof objectives;
  readonly knobs?: Readonly<Record<string, number>>;
}

/** Layer that the autoencoder of a file is said to read; the tensors are given, so that it changes nothing. */
const noLayer = 0;

/** Every key of the files. */
export const fixtureCases: Readonly<Record<string, FixtureCase>> = {
  sft: { id: "sft" },
  dpo: { id: "dpo" },
  dpo_smoothed: { id: "dpo" },
  ipo: { id: "ipo", knobs: { scale: 0 } },
  ipo_summed: { id: "ipo", knobs: { scale: 1 } },
  hinge: { id: "hinge" },
  robust: { id: "robust" },
  exo_pair: { id: "exo_pair" },
  nca_pair: { id: "nca_pair" },
  sppo_hard: { id: "sppo_hard" },
  aot: { id: "aot" },
  discopop: { id: "discopop" },
  apo_zero: { id: "apo_zero" },
  apo_down: { id: "apo_down" },
  sigmoid_norm: { id: "sigmoid_norm" },
  simpo: { id: "simpo" },
  cpo: { id: "cpo" },
  orpo: { id: "orpo" },
  tdpo1: { id: "tdpo1" },
  tdpo2: { id: "tdpo2" },
  fpo: { id: "fpo", knobs: { layer: noLayer, featureMode: 0 } },
  fpo_beta2: { id: "fpo", knobs: { layer: noLayer, featureMode: 0 } },
  fpo_no_stopgrad: { id: "fpo", knobs: { layer: noLayer, featureMode: 0 } },
  fpo_released: { id: "fpo", knobs: { layer: noLayer, featureMode: 1, stopGradientChosen: 1 } },
  kto: { id: "kto" },
  aot_unpaired: { id: "aot_unpaired" },
  "wdpo_0.5": { id: "wdpo", knobs: { weighting: 0, normalise: 0 } },
  "wdpo_2.0": { id: "wdpo", knobs: { weighting: 0, normalise: 0 } },
};

/** Objective and knobs of a key; throws when neither the file nor the table has a number for a knob. */
export function caseOf(
  key: string,
  { expected }: Fixture,
): { objective: Objective; parameters: Record<string, number> } {
  const { id, knobs = {} } = fixtureCases[key]!;
  const objective: Objective = objectives[id];
  const entries = objective.parameters.map((spec) => {
    const value = knobs[spec.key] ?? expected[key]!.params[spec.key];
    const number = typeof value === "boolean" ? Number(value) : value;
    if (typeof number !== "number") throw new Error(`the fixture has no number for ${key}.${spec.key}`);
    return [spec.key, number] as const;
  });
  return { objective, parameters: Object.fromEntries(entries) };
}
