/** The judges of a run. */
import type { AnswerJudge } from "../../engine/judges/answerJudge.ts";
import type { RunConfig } from "../../engine/training/config.ts";
import type { JudgeSpec } from "../protocol.ts";
import type { OpenJudges } from "../runDesk.ts";
import { chooseJudges, type JudgeParts } from "./judgeChoice.ts";
import { openJudge, type JudgeMakings, type OpenJudge } from "./openJudges.ts";
import type { PersonJudgeSettings } from "./personJudge.ts";

/** Makes the judges that a configuration asks for. Refuses, with nothing left on the device, where one is not at hand. */
export async function openRunJudges(
  config: RunConfig,
  makings: JudgeMakings & Pick<JudgeParts, "data">,
  at: Omit<PersonJudgeSettings, "seed">,
): Promise<OpenJudges> {
  const chosen = chooseJudges(config, { owner: makings.model(), data: makings.data });
  const opened: OpenJudge[] = [];
  const dispose = () => {
    for (const one of opened.splice(0)) one.dispose();
  };
  const open = async (spec: JudgeSpec): Promise<AnswerJudge> => {
    const one = await openJudge(spec, makings, { ...at, seed: config.seed });
    opened.push(one);
    return one.judge;
  };
  try {
    const judges: OpenJudges["judges"][number][] = [];
    for (const { judge, weight } of chosen.judges) judges.push({ judge: await open(judge), weight });
    const heldoutJudge = chosen.heldout === null ? null : await open(chosen.heldout);
    return { ...numbered(judges, heldoutJudge), dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** Judges whose labels no two share: metrics and failures name a judge by its label alone. */
export function numbered(
  judges: OpenJudges["judges"],
  heldoutJudge: AnswerJudge | null,
): Pick<OpenJudges, "judges" | "heldoutJudge"> {
  const all = [...judges.map(({ judge }) => judge), ...(heldoutJudge === null ? [] : [heldoutJudge])];
  const own = all.map((judge, place) => {
    const isSame = ({ label }: AnswerJudge) => label === judge.label;
    if (all.filter(isSame).length === 1) return judge;
    return { ...judge, label: `${judge.label} ${all.slice(0, place + 1).filter(isSame).length}` };
  });
  return {
    judges: judges.map(({ judge, weight }, place) => ({ weight, judge: own[place] ?? judge })),
    heldoutJudge: heldoutJudge === null ? null : (own.at(-1) ?? null),
  };
}
