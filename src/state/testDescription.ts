/** A trainer's description of itself, as tests of the page use it. */
import { defaultConfig } from "../engine/training/config.ts";
import type { Description, ObjectiveCard } from "../worker/description.ts";

const card = (
  id: string,
  label: string,
  parameters: ObjectiveCard["parameters"],
  { group = "reference", needs = [] }: Partial<Pick<ObjectiveCard, "group" | "needs">> = {},
): ObjectiveCard => ({
  id,
  label,
  group,
  sentence: `What ${label} does in one sentence.`,
  formula: "−log σ( … )",
  parameters,
  needs,
  watch: "The Pair Map.",
  healthy: "Accuracy rises.",
  trouble: "The text repeats: lower the learning rate.",
  paper: { title: label, url: "https://arxiv.org/abs/2305.18290" },
});

const beta = { key: "beta", label: "β", help: "How strongly the model is held.", scale: "log" as const };

/** Five methods of as many kinds, three presets, two preference sets and a reward model for one of them. */
export const testDescription: Description = {
  objectives: [
    card("sft", "SFT", [], { group: "imitate" }),
    card("dpo", "DPO", [{ ...beta, default: 0.1, minimum: 0.01, maximum: 1, paper: "paper: 0.1" }], {
      needs: ["referenceLogps"],
    }),
    card(
      "simpo",
      "SimPO",
      [
        { ...beta, default: 2, minimum: 0.5, maximum: 10 },
        {
          key: "gamma",
          label: "γ",
          help: "The lead.",
          default: 0.5,
          minimum: 0,
          maximum: 5,
          scale: "linear",
        },
      ],
      { group: "reference-free" },
    ),
    card("tdpo2", "TDPO-2", [{ ...beta, default: 0.1, minimum: 0.01, maximum: 1 }], {
      group: "token",
      needs: ["referenceLogps", "tokenKl"],
    }),
    card(
      "wdpo",
      "Weighted DPO",
      [
        { ...beta, default: 0.1, minimum: 0.01, maximum: 1 },
        {
          key: "weighting",
          label: "weight",
          help: "What a pair weighs.",
          default: 0,
          minimum: 0,
          maximum: 2,
          scale: "linear",
          choices: ["none", "judge's gap", "own column"],
        },
      ],
      { group: "weighted", needs: ["referenceLogps", "rewardGap"] },
    ),
  ],
  presets: [
    { id: "tiny-dpo", label: "Tiny · DPO", promise: "Kind endings in a minute.", config: defaultConfig },
    {
      id: "tiny-simpo",
      label: "Tiny · SimPO",
      promise: "Without a reference.",
      config: { ...defaultConfig, method: "simpo", params: { beta: 2, gamma: 0.5 } },
    },
    {
      id: "helpful",
      label: "Helpful · DPO",
      promise: "Answers instead of dodging.",
      config: { ...defaultConfig, data: "helpful-harmless", objective: "helpful" },
    },
  ],
  models: [{ id: "story", label: "story-0.6M" }],
  rewardModels: [{ id: "story-kind", model: "story", data: "kind-endings", objective: "kind" }],
  datasets: [
    {
      id: "kind-endings",
      label: "Kind endings",
      sentence: "Stories that end kindly are preferred.",
      objectives: [{ id: "kind", label: "Kind", judge: "kindEndings" }],
    },
    {
      id: "helpful-harmless",
      label: "Helpful vs harmless",
      sentence: "An assistant that answers, or that turns down a bad idea.",
      objectives: [
        { id: "helpful", label: "Helpful", judge: "helpful" },
        { id: "harmless", label: "Harmless", judge: "harmless" },
      ],
    },
  ],
};
