/** The charts of a run, in the order of the page. A chart is shown for every run that has one of its series. */
import { displacementCallout } from "./callouts.ts";
import type { ChartSpec, SeriesSpec } from "./chartTypes.ts";

const sides = (group: string, joint = "/"): readonly SeriesSpec[] => [
  { name: `${group}${joint}chosen`, label: "chosen", color: "chosen" },
  { name: `${group}${joint}rejected`, label: "rejected", color: "rejected", dash: "dashed" },
];

/** KL to the reference on answers of the policy's own. */
const sampledKl: SeriesSpec = {
  name: "kl/reverseEstimate",
  label: "sampled",
  color: "margin",
  dash: "dotted",
};

/** Every chart; to add one, add an entry. */
export const charts: readonly ChartSpec[] = [
  {
    id: "rewards",
    title: "Margin and rewards",
    scale: "symlog",
    views: [
      {
        id: "rewards",
        label: "Rewards",
        series: [{ name: "rewards/margins", label: "margin", color: "margin" }, ...sides("rewards")],
      },
      {
        id: "logratio",
        label: "Log-ratio",
        series: [{ name: "margins/logratio", label: "log-ratio", color: "margin" }],
      },
    ],
  },
  {
    id: "logps",
    title: "Log-probs of answers",
    scale: "linear",
    hasStartGuides: true,
    views: [
      { id: "sum", label: "Sum", series: sides("logps") },
      { id: "per-token", label: "Per token", series: sides("logps_per_token") },
    ],
    callout: displacementCallout,
  },
  {
    id: "kl",
    title: "Drift (KL)",
    scale: "symlog",
    isHeldOut: true,
    views: [
      { id: "sum", label: "Sum", series: sides("kl") },
      { id: "per-token", label: "Per token", series: sides("kl_per_token") },
      { id: "reverse", label: "Reverse", series: [...sides("kl_reverse"), sampledKl] },
    ],
  },
  {
    id: "accuracy",
    title: "Pairs told apart",
    scale: "linear",
    fixedRange: [0, 1],
    guides: [{ y: 0.5, label: "coin toss", side: "below" }],
    views: [
      {
        id: "accuracy",
        label: "Accuracy",
        series: [{ name: "rewards/accuracies", label: "accuracy", color: "ink", fillFrom: 0.5 }],
      },
    ],
  },
  {
    id: "entropy",
    title: "Entropy",
    scale: "linear",
    views: [
      { id: "mean", label: "Mean", series: [{ name: "entropy", label: "entropy", color: "ink" }] },
      { id: "sides", label: "Per answer", series: sides("entropy") },
    ],
  },
  {
    id: "loss",
    title: "Loss",
    scale: "linear",
    views: [{ id: "loss", label: "Loss", series: [{ name: "loss", label: "loss", color: "ink" }] }],
  },
  {
    id: "grad-norm",
    title: "Gradient length",
    scale: "linear",
    views: [{ id: "norm", label: "Norm", series: [{ name: "grad_norm", label: "grad norm", color: "ink" }] }],
  },
  {
    id: "weights",
    title: "Pair weights",
    scale: "linear",
    isOfMethod: true,
    views: [
      { id: "mean", label: "Mean", series: [{ name: "weights/mean", label: "mean weight", color: "ink" }] },
      {
        id: "ess",
        label: "Effective",
        series: [{ name: "weights/ess", label: "effective pairs", color: "ink" }],
      },
    ],
  },
  {
    id: "baseline",
    title: "Baseline ζ",
    scale: "symlog",
    isOfMethod: true,
    views: [{ id: "kl", label: "Baseline", series: [{ name: "kl", label: "baseline", color: "ink" }] }],
  },
  {
    id: "odds",
    title: "Log odds ratio",
    scale: "linear",
    isOfMethod: true,
    views: [
      { id: "odds", label: "Odds", series: [{ name: "log_odds_chosen", label: "odds", color: "ink" }] },
    ],
  },
  {
    id: "feature-drift",
    title: "Feature drift D",
    scale: "linear",
    isOfMethod: true,
    views: [{ id: "drift", label: "Drift", series: sides("features/mse", "_") }],
  },
  {
    id: "features",
    title: "Autoencoder fit",
    scale: "linear",
    isOfMethod: true,
    isHeldOut: true,
    views: [
      { id: "l0", label: "Active", series: [{ name: "features/l0", label: "active (L0)", color: "ink" }] },
      {
        id: "unexplained",
        label: "Unexplained",
        series: [{ name: "features/unexplained", label: "unexplained", color: "ink" }],
      },
      {
        id: "overlap",
        label: "Overlap",
        series: [{ name: "features/overlap", label: "overlap", color: "ink" }],
      },
    ],
  },
];
