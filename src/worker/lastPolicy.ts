/** The policy of a run that is over, built again from its checkpoint. */
import type { LoadedModel } from "../engine/models/loadModel.ts";
import { write } from "../engine/tensor/run.ts";
import type { RunConfig } from "../engine/training/config.ts";
import { createPolicy, type Policy } from "../engine/training/policy.ts";
import type { Checkpoint } from "./protocol.ts";

/** What a policy is built from. */
export interface TrainedRun {
  readonly config: RunConfig;
  readonly checkpoint: Checkpoint;
}

/** The policy of a checkpoint; the caller disposes it. */
export function restorePolicy({ model }: LoadedModel, { config, checkpoint }: TrainedRun): Policy {
  const policy = createPolicy(model, config);
  for (const { name, tensor } of policy.trainables) {
    const values = checkpoint.tensors[name];
    if (values !== undefined) write(tensor, values);
  }
  return policy;
}
