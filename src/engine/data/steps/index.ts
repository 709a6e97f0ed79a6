import type { DataStep } from "./dataStep.ts";
import { drop } from "./drop.ts";
import { flip } from "./flip.ts";
import { mix } from "./mix.ts";
import { relabel } from "./relabel.ts";
import { revise } from "./revise.ts";
import { select } from "./select.ts";
import type { StepOf } from "./stepContext.ts";
import { subset } from "./subset.ts";

/** Every kind of step. */
export const dataSteps: { readonly [Kind in DataStep["kind"]]: StepOf<Kind> } = {
  drop,
  subset,
  select,
  relabel,
  mix,
  flip,
  revise,
};
