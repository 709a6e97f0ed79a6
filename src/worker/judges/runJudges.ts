/** The judges of a run. */
import type { AnswerJudge } from "../../engine/judges/answerJudge.ts";
import type { RunConfig } from "../../engine/training/config.ts";
import type { JudgeSpec } from "../protocol.ts";
import { chooseJudges, type JudgeParts } from "./judgeChoice.ts";
import { openJudge, type JudgeMakings, type OpenJudge } from "./openJudges.ts";

/** The judges of a run, which frees them when it ends. */
export interface RunJudges {
  readonly judges: readonly { readonly judge: AnswerJudge; readonly weight: number }[];
  readonly heldoutJudge: AnswerJudge | null;
  readonly dispose: () => void;
}

/** Makes the judges that a configuration asks for. Refuses, with nothing left on the device, where one is not at hand. */
export async function openRunJudges(
  config: RunConfig,
  makings: JudgeMakings & Pick<JudgeParts, "data">,
  runId: string,
): Promise<RunJudges> {
  const chosen = chooseJudges(config, { owner: makings.model(), data: makings.data });
  const opened: OpenJudge[] = [];
  const dispose = () => {
    for (const one of opened.splice(0)) one.dispose();
  };
  const open = async (spec: JudgeSpec): Promise<AnswerJudge> => {
    const one = await openJudge(spec, makings, { runId, seed: config.seed });
    opened.push(one);
    return one.judge;
  };
  try {
    const judges: RunJudges["judges"][number][] = [];
    for (const { judge, weight } of chosen.judges) judges.push({ judge: await open(judge), weight });
    const heldoutJudge = chosen.heldout === null ? null : await open(chosen.heldout);
    return { judges, heldoutJudge, dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}
