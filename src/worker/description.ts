/** What the trainer says of itself: the methods, models, preference sets and presets that there are. */
import { embeddedDatasets, embeddedModels } from "../engine/data/embedded.ts";
import { objectives } from "../engine/losses/index.ts";
import type { Objective } from "../engine/losses/objective.ts";
import { presets, type PresetSummary } from "../engine/training/presets.ts";
import { canTrain, whyNotOffered } from "./configProblems.ts";

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
  /** Methods that cannot be trained here, with the reason; links and people may ask for them. */
  readonly notOffered: readonly { readonly id: string; readonly label: string; readonly reason: string }[];
  readonly datasets: readonly DataCard[];
  readonly models: readonly { readonly id: string; readonly label: string }[];
  readonly presets: readonly PresetSummary[];
}

/** The objectives that can be trained, and all embedded sets, models and presets. */
export function describeStudio(): Description {
  return {
    objectives: Object.values<Objective>(objectives)
      .filter(canTrain)
      .map(({ compute: _compute, ...card }) => card),
    notOffered: Object.values<Objective>(objectives)
      .filter((objective) => !canTrain(objective))
      .map(({ id, label }) => ({ id, label, reason: whyNotOffered({ label }) })),
    datasets: embeddedDatasets.map(({ id, label, sentence, objectives: aims }) => ({
      id,
      label,
      sentence,
      objectives: [...aims],
    })),
    models: embeddedModels.map(({ id, label }) => ({ id, label })),
    presets,
  };
}
