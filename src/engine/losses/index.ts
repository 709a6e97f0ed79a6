import { dpo } from "./dpo.ts";
import type { Objective } from "./objective.ts";
import { sft } from "./sft.ts";
import { simpo } from "./simpo.ts";

/** Every objective by its id, in the order in which the page offers them. */
export const objectives = { sft, dpo, simpo } satisfies Record<string, Objective>;
