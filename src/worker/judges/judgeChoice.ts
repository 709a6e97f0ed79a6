/** Which judges a configuration means, where it leaves that open. */
import { embeddedDatasets, embeddedRewardModels } from "../../engine/data/embedded.ts";
import { builtInKey } from "../../engine/judges/programJudge.ts";
import type { RunConfig } from "../../engine/training/config.ts";
import type { OwnModel } from "../keptReference.ts";
import type { LoadedData } from "../library.ts";
import type { JudgeSpec, WeightedJudge } from "../protocol.ts";

/** What the choice depends on. */
export interface JudgeParts {
  readonly owner: Pick<OwnModel, "id">;
  readonly data: Pick<LoadedData, "id" | "judge" | "settings">;
}

/** The judges of a configuration. */
export interface ChosenJudges {
  /** Those that rank, choose and weigh; judges of weight 0 are left out. Empty where there is none. */
  readonly judges: readonly WeightedJudge[];
  readonly heldout: JudgeSpec | null;
}

/**
 * The judges that a run is to be given. Without any: the reward model that comes along for the loaded model and set, or else the
 * set's own program. Without one kept aside: the set's own program, unless it is among the others.
 */
export function chooseJudges(
  config: Pick<RunConfig, "judges" | "heldoutJudge">,
  parts: JudgeParts,
): ChosenJudges {
  const own = ownProgram(parts.data);
  const usual = usualReward(parts) ?? own;
  const all = config.judges.length === 0 && usual !== null ? [{ judge: usual, weight: 1 }] : config.judges;
  const judges = all.filter(({ weight }) => weight !== 0);
  const isAmong = own !== null && judges.some(({ judge }) => isSameJudge(judge, own));
  return { judges, heldout: config.heldoutJudge ?? (isAmong ? null : own) };
}

/** Whether two judges are one, with the same settings. */
export function isSameJudge(first: JudgeSpec, second: JudgeSpec): boolean {
  const [one, other] = [first, second].map((spec) =>
    JSON.stringify(Object.entries(spec).toSorted(([a], [b]) => (a < b ? -1 : 1))),
  );
  return one === other;
}

/** The set's own program; null for a set without one. */
function ownProgram({ judge }: JudgeParts["data"]): JudgeSpec | null {
  const id = judge === null ? null : builtInKey(judge);
  return id === null ? null : { kind: "program", id };
}

/** The reward model that comes along for the loaded model and the set's objective; null where none does. */
function usualReward({ owner, data }: JudgeParts): JudgeSpec | null {
  const dataset = embeddedDatasets.find(({ id }) => id === data.id);
  const objective =
    dataset?.objectives.find(({ id }) => id === data.settings.objective) ?? dataset?.objectives[0];
  const found = embeddedRewardModels.find(
    (one) => one.model === owner.id && one.data === data.id && one.objective === objective?.id,
  );
  return found === undefined ? null : { kind: "rewardModel", id: found.id };
}
