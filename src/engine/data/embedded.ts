/** An objective of an embedded set: which of its pairs it trains on, and the judge that scores it. */
export interface EmbeddedObjective {
  readonly id: string;
  readonly label: string;
  /** Key of the judge list. */
  readonly judge: string;
}

/** A preference set that comes with the studio; paths are relative to the page. */
export interface EmbeddedDataset {
  readonly id: string;
  readonly label: string;
  /** One sentence for a person choosing a set. */
  readonly sentence: string;
  /** With several objectives, every row names its own in the column `objective`. */
  readonly objectives: readonly EmbeddedObjective[];
  readonly files: { readonly train: string; readonly heldout: string };
  /** Log-probs of all its pairs under the embedded model. */
  readonly reference: string;
}

/** A model that comes with the studio. */
export interface EmbeddedModel {
  readonly id: string;
  readonly label: string;
  readonly folder: string;
  readonly files: readonly string[];
}

/** A sparse autoencoder that comes with the studio, for an embedded model. */
export interface EmbeddedSae {
  readonly id: string;
  /** Id of the model whose stream it reads. */
  readonly model: string;
  readonly label: string;
  /** Block whose output it reads, from 0 on. */
  readonly layer: number;
  readonly folder: string;
  readonly files: readonly string[];
}

/** Every embedded preference set; the first is preselected. */
export const embeddedDatasets: readonly EmbeddedDataset[] = [
  {
    id: "kind-endings",
    label: "Kind endings",
    sentence:
      "Story openings with an ending in which people are kind, preferred to one in which they are not.",
    objectives: [{ id: "kind", label: "Kind", judge: "kindEndings" }],
    files: { train: "data/kind-endings/train.jsonl", heldout: "data/kind-endings/heldout.jsonl" },
    reference: "data/kind-endings/reference.json",
  },
  {
    id: "helpful-harmless",
    label: "Helpful vs harmless",
    sentence:
      "Questions with two aims that pull apart: to answer what was asked, and to refuse what would hurt.",
    objectives: [
      { id: "helpful", label: "Helpful", judge: "helpful" },
      { id: "harmless", label: "Harmless", judge: "harmless" },
    ],
    files: { train: "data/helpful-harmless/train.jsonl", heldout: "data/helpful-harmless/heldout.jsonl" },
    reference: "data/helpful-harmless/reference.json",
  },
];

/** Every embedded model; the first is preselected. */
export const embeddedModels: readonly EmbeddedModel[] = [
  {
    id: "story",
    label: "Story",
    folder: "models/story",
    files: [
      "config.json",
      "generation_config.json",
      "tokenizer.json",
      "tokenizer_config.json",
      "model.safetensors",
    ],
  },
];

/** Every embedded autoencoder; the first of a model is preselected. */
export const embeddedSaes: readonly EmbeddedSae[] = [2, 1, 0].map((layer) => ({
  id: `story-${layer}`,
  model: "story",
  label: `Story, after layer ${layer}`,
  layer,
  folder: `saes/story-${layer}`,
  files: ["cfg.json", "sae_weights.safetensors"],
}));

/** A reward model that comes with the studio, trained on the pairs of one objective. */
export interface EmbeddedRewardModel {
  readonly id: string;
  /** Id of the model it is an adapter and a head of. */
  readonly model: string;
  readonly data: string;
  readonly objective: string;
  readonly label: string;
  readonly folder: string;
  readonly files: readonly string[];
}

const rewardModelFiles = ["adapter_config.json", "adapter_model.safetensors", "quality.json"];

/** Every embedded reward model. */
export const embeddedRewardModels: readonly EmbeddedRewardModel[] = embeddedDatasets.flatMap(
  ({ id: data, objectives }) =>
    objectives.map(({ id: objective, label }) => ({
      id: `story-${objective}`,
      model: "story",
      data,
      objective,
      label: `${label} (reward model)`,
      folder: `rewards/story-${objective}`,
      files: rewardModelFiles,
    })),
);
