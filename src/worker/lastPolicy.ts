/** The policy of the run under way, or of the last one, built again from its checkpoint. */
import { withoutStanding } from "../engine/adapters/standing.ts";
import type { LoadedModel } from "../engine/models/loadModel.ts";
import { write } from "../engine/tensor/run.ts";
import type { RunConfig } from "../engine/training/config.ts";
import { createPolicy, type Policy } from "../engine/training/policy.ts";
import type { SeenPolicy } from "./featureCorpora.ts";
import type { Checkpoint } from "./protocol.ts";
import type { Runner } from "./runner.ts";

/** What a policy is built from. */
export interface TrainedRun {
  readonly config: RunConfig;
  readonly checkpoint: Checkpoint;
}

/** The policy of a checkpoint; the caller disposes it. */
export function restorePolicy({ model }: LoadedModel, { config, checkpoint }: TrainedRun): Policy {
  // Its values are the run's own, whatever stands on the model by now.
  const policy = createPolicy(withoutStanding(model), config);
  for (const { name, tensor } of policy.trainables) {
    const values = checkpoint.tensors[name];
    if (values !== undefined) write(tensor, values);
  }
  return policy;
}

/** Where a policy can be: in a run, or in what is left of the last one. */
export interface PolicyPlaces {
  readonly runner: Runner | null;
  readonly last: TrainedRun | null;
  readonly loaded: LoadedModel | null;
  /** Number of the run. */
  readonly run: number;
}

/** Lets `look` see the policy at the run's next milestone, or that of the last run; null where there was none. */
export async function seePolicy<Answer>(
  look: (policy: SeenPolicy | null) => Promise<Answer>,
  { runner, last, loaded, run }: PolicyPlaces,
): Promise<Answer> {
  const answers: Answer[] = [];
  await runner?.atMilestone(async ({ weights, step }) => {
    answers.push(await look({ weights, run, step }));
  });
  const [answer] = answers;
  if (answer !== undefined) return answer;
  if (loaded === null || last === null || last.checkpoint.step === 0) return look(null);
  const { step } = last.checkpoint;
  const policy = restorePolicy(loaded, last);
  try {
    return await look({ weights: policy.weights, run, step });
  } finally {
    policy.dispose();
  }
}
