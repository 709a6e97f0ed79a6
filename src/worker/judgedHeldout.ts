/** Scores of held-out pairs that bring none, for objectives that weight pairs by them. */
import { textOf } from "../engine/data/row.ts";
import type { TokenPair } from "../engine/data/tokenPair.ts";
import type { JudgedAnswer } from "../engine/judges/answerJudge.ts";
import type { RunConfig } from "../engine/training/config.ts";
import { objectiveOf } from "./configProblems.ts";
import { refuse } from "./errorReport.ts";
import type { LoadedData } from "./library.ts";
import type { OpenJudges } from "./runDesk.ts";

/**
 * The set with the gap of the rounds' judges on every held-out pair that is evaluated and has none; the set as it is where
 * the objective asks for no gaps. Refuses where a person would have to judge them, and where a judge could not.
 */
export async function judgedHeldout<Data extends LoadedData>(
  config: RunConfig,
  data: Data,
  { judges }: Pick<OpenJudges, "judges">,
): Promise<Data> {
  const seen = data.heldout.slice(0, config.evalPairs);
  const asked = seen.filter(({ rewardGap }) => rewardGap === undefined);
  if (asked.length === 0 || !objectiveOf(config).needs.includes("rewardGap")) return data;
  const told = `The method weights pairs by scores, and ${asked.length} held-out pairs that it is evaluated on have none`;
  if (judges.some(({ judge }) => judge.spec.kind === "person")) {
    refuse("CFG-1", `${told}: choose DPO, or a judge that is no person.`);
  }
  const answers = asked.flatMap((pair) => judgedSides(pair, data));
  const sums = new Float64Array(answers.length);
  for (const { judge, weight } of judges) {
    const verdicts = await judge.score(answers, new AbortController().signal);
    verdicts.forEach((verdict, index) => {
      if ("reason" in verdict)
        refuse("CFG-1", `${told}, and ${judge.label} could not judge: ${verdict.reason}`);
      sums[index] = (sums[index] ?? 0) + weight * verdict.score;
    });
  }
  const gaps = new Map(
    asked.map((pair, index) => [pair, (sums[2 * index] ?? 0) - (sums[2 * index + 1] ?? 0)]),
  );
  const heldout = data.heldout.map((pair) => {
    const rewardGap = gaps.get(pair);
    return rewardGap === undefined ? pair : { ...pair, rewardGap };
  });
  return { ...data, heldout };
}

function judgedSides(pair: TokenPair, { heldoutRows }: LoadedData): JudgedAnswer[] {
  const row = heldoutRows[pair.row];
  const prompt = row === undefined ? "" : textOf(row.prompt);
  return (["chosen", "rejected"] as const).map((side) => ({
    prompt,
    answer: row === undefined ? "" : textOf(row[side]),
    promptIds: pair.prompt,
    answerIds: pair[side],
  }));
}
