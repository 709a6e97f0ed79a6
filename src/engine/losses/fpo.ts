import { betaSpec } from "./betaSpec.ts";
import { choiceOf, choiceSpec } from "./choiceSpec.ts";
import type { Objective, ObjectiveResult, PairStatistics, ParameterSpec, StepTotals } from "./objective.ts";
import { inputOf, logRatioPairs, optionOf, parameterOf } from "./objective.ts";
import { sigmoid, softplus } from "./softplus.ts";

const stopGradient = choiceSpec({
  key: "stopGradientChosen",
  label: "Chosen drift held",
  help: "On: drift of the chosen answer's features is only an offset. Off: it is rewarded.",
  choices: ["off", "on"],
  default: 1,
  paper: "paper: on",
});

/** Knobs of the feature drift D, which is measured before the loss is computed. */
const driftKnobs: readonly ParameterSpec[] = [
  {
    key: "topK",
    label: "k",
    help: "Strongest features of policy and of reference that are compared; a held list has its own length.",
    default: 50,
    minimum: 1,
    maximum: 1024,
    scale: "log",
    isWhole: true,
    paper: "paper: 50",
  },
  choiceSpec({
    key: "featureMode",
    label: "Feature mode",
    help: "Paper: features of either side, averaged over scored tokens. Released: as in the authors' code. Held: a list.",
    choices: ["paper", "released", "held"],
  }),
];

const alpha: ParameterSpec = {
  key: "alpha",
  label: "α",
  help: "How strongly drift of the features is held; β scales it as well.",
  default: 0.5,
  minimum: 0,
  maximum: 5,
  scale: "linear",
  paper: "paper: 0.5",
};

/** Inputs of the loss; throws `ObjectiveInputError` for one that is missing. */
function inputsOf(statistics: PairStatistics, parameters: Readonly<Record<string, number>>) {
  // D was measured with these: a run without them has measured something else.
  for (const spec of driftKnobs) {
    if (spec.isOptional === true) optionOf(parameters, spec);
    else parameterOf(parameters, spec.key);
  }
  return {
    ratios: logRatioPairs(statistics),
    chosenErrors: inputOf(
      statistics.chosen.featureErrors,
      "feature errors of the chosen answers",
      statistics,
    ),
    rejectedErrors: inputOf(
      statistics.rejected.featureErrors,
      "feature errors of the rejected answers",
      statistics,
    ),
  };
}

function compute(
  statistics: PairStatistics,
  parameters: Readonly<Record<string, number>>,
  totals: StepTotals,
): ObjectiveResult {
  const beta = parameterOf(parameters, "beta");
  const strength = parameterOf(parameters, "alpha");
  const isChosenHeld = choiceOf(parameters, stopGradient) === "on";
  const { ratios, chosenErrors, rejectedErrors } = inputsOf(statistics, parameters);
  const { chosen, rejected } = statistics;
  const chosenRewards = ratios.chosen.map((ratio, pair) => (beta * ratio) / chosen.tokens[pair]!);
  const rejectedRewards = ratios.rejected.map((ratio, pair) => (beta * ratio) / rejected.tokens[pair]!);
  const sigmoidArguments = chosenRewards.map((reward, pair) => {
    const drift = rejectedErrors[pair]! - chosenErrors[pair]!;
    return reward - rejectedRewards[pair]! - strength * beta * drift;
  });
  const slopes = sigmoidArguments.map((u) => (-beta * sigmoid(-u)) / totals.pairs);
  const pull = slopes.map((slope) => strength * slope);
  return {
    losses: sigmoidArguments.map((u) => softplus(-u)),
    chosenGradient: slopes.map((slope, pair) => slope / chosen.tokens[pair]!),
    rejectedGradient: slopes.map((slope, pair) => -slope / rejected.tokens[pair]!),
    chosenRewards,
    rejectedRewards,
    arguments: sigmoidArguments,
    ...(isChosenHeld ? {} : { chosenFeatureGradient: pull }),
    rejectedFeatureGradient: pull.map((slope) => -slope),
  };
}

/** Feature-level preference optimisation: per-token DPO that holds sparse features. Source: arXiv 2411.07618, equations 8 to 11. */
export const fpo: Objective = {
  id: "fpo",
  label: "FPO",
  group: "feature",
  sentence:
    "Per-token DPO with a leash on the sparse features of the rejected answer instead of on every token.",
  formula: "−log σ( β[Δ(y⁺)/|y⁺| − Δ(y⁻)/|y⁻|] − αβ[D(y⁻) − sg D(y⁺)] ), D = (1/k) Σᵢ (Cᵢ − C_refᵢ)²",
  parameters: [
    betaSpec({
      paper: "paper: 0.1",
      help: "Scale of the log-ratios per token and of the features; not comparable with DPO's β.",
      default: 2,
      maximum: 10,
    }),
    alpha,
    ...driftKnobs,
    stopGradient,
  ],
  needs: ["referenceLogps", "features"],
  watch: "Feature errors of both sides, entropy and KL.",
  healthy: "The margin grows while the feature error of the rejected answers stays small.",
  trouble: "The loss stays near 0.69: raise β. The margin is flat: lower α.",
  paper: {
    title: "Direct Preference Optimization Using Sparse Feature-Level Constraints",
    url: "https://arxiv.org/abs/2411.07618",
  },
  compute,
};
