import { aot } from "./aot.ts";
import { aotUnpaired } from "./aotUnpaired.ts";
import { apoDown } from "./apoDown.ts";
import { apoZero } from "./apoZero.ts";
import { cpo } from "./cpo.ts";
import { discopop } from "./discopop.ts";
import { dpo } from "./dpo.ts";
import { exoPair } from "./exoPair.ts";
import { fpo } from "./fpo.ts";
import { hinge } from "./hinge.ts";
import { ipo } from "./ipo.ts";
import { kto } from "./kto.ts";
import { ncaPair } from "./ncaPair.ts";
import type { Objective } from "./objective.ts";
import { orpo } from "./orpo.ts";
import { robust } from "./robust.ts";
import { sft } from "./sft.ts";
import { sigmoidNorm } from "./sigmoidNorm.ts";
import { simpo } from "./simpo.ts";
import { sppoHard } from "./sppoHard.ts";
import { tdpo1 } from "./tdpo1.ts";
import { tdpo2 } from "./tdpo2.ts";
import { wdpo } from "./wdpo.ts";
import { wdpoColumn } from "./wdpoColumn.ts";
import { wpo } from "./wpo.ts";

/** Every objective by its id, in the order in which the page offers them. */
export const objectives = {
  sft,
  dpo,
  ipo,
  hinge,
  robust,
  exo_pair: exoPair,
  nca_pair: ncaPair,
  sppo_hard: sppoHard,
  aot,
  discopop,
  apo_zero: apoZero,
  apo_down: apoDown,
  sigmoid_norm: sigmoidNorm,
  simpo,
  cpo,
  orpo,
  tdpo1,
  tdpo2,
  fpo,
  kto,
  aot_unpaired: aotUnpaired,
  wdpo,
  wpo,
  wdpo_column: wdpoColumn,
} satisfies Record<string, Objective>;
