/** What the trainer says of itself: the methods, models, preference sets and presets that there are. */
import { embeddedDatasets, embeddedModels, embeddedRewardModels } from "../engine/data/embedded.ts";
import { objectives } from "../engine/losses/index.ts";
import type { Objective } from "../engine/losses/objective.ts";
import { presets, type PresetSummary } from "../engine/training/presets.ts";

/** An objective as the page shows it: everything but the mathematics. */
export type ObjectiveCard = Omit<Objective, "compute">;

/** An embedded preference set as the page shows it. */
export interface DataCard {
  readonly id: string;
  readonly label: string;
  readonly sentence: string;
  readonly objectives: readonly { readonly id: string; readonly label: string; readonly judge: string }[];
}

/** The answer to `describe`: what menus and forms are drawn from. */
export interface Description {
  readonly objectives: readonly ObjectiveCard[];
  readonly datasets: readonly DataCard[];
  readonly models: readonly { readonly id: string; readonly label: string }[];
  /** The reward model that comes with the studio for an objective of a set, on one model. */
  readonly rewardModels: readonly {
    readonly id: string;
    readonly model: string;
    readonly data: string;
    readonly objective: string;
  }[];
  readonly presets: readonly PresetSummary[];
}

/** All objectives, embedded sets, models and presets. */
export function describeStudio(): Description {
  return {
    objectives: Object.values<Objective>(objectives).map(({ compute: _compute, ...card }) => card),
    datasets: embeddedDatasets.map(({ id, label, sentence, objectives: aims }) => ({
      id,
      label,
      sentence,
      objectives: [...aims],
    })),
    models: embeddedModels.map(({ id, label }) => ({ id, label })),
    rewardModels: embeddedRewardModels.map(({ id, model, data, objective }) => ({
      id,
      model,
      data,
      objective,
    })),
    presets,
  };
}
