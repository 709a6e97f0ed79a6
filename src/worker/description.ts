/** What menus and forms are drawn from. */
import { embeddedDatasets, embeddedModels } from "../engine/data/embedded.ts";
import { objectives } from "../engine/losses/index.ts";
import type { Objective } from "../engine/losses/objective.ts";
import { presets } from "../engine/training/presets.ts";
import { canTrain } from "./configProblems.ts";
import type { Description } from "./protocol.ts";

/** The objectives that can be trained, and all embedded sets, models and presets. */
export function describeStudio(): Description {
  return {
    objectives: Object.values<Objective>(objectives)
      .filter(canTrain)
      .map(({ compute: _compute, ...card }) => card),
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
