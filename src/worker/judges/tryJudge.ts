/** Asks a judge about texts that a person types, without a run. */
import type { JudgedAnswer, Verdict } from "../../engine/judges/answerJudge.ts";
import { withReasons } from "../../engine/judges/withReasons.ts";
import { implicitJudge } from "../../engine/online/implicitJudge.ts";
import { refuse } from "../errorReport.ts";
import type { SeenPolicy } from "../featureCorpora.ts";
import type { DeskSources } from "../featureDesk.ts";
import type { LoadedData } from "../library.ts";
import type { Commands } from "../protocol.ts";
import { judgedText, judgedTokens } from "./judgedTexts.ts";
import { openJudge, type JudgeMakings, type OpenJudge } from "./openJudges.ts";
import type { PersonJudgeSettings } from "./personJudge.ts";

type Question = Commands["scoreAnswers"]["question"];

/** What trying a judge needs. */
export interface TrySources extends JudgeMakings, Pick<DeskSources, "alone" | "withPolicy"> {
  readonly data: () => LoadedData;
}

/** Answers that are judged at once, and characters of each with its prompt. */
const MOST_ITEMS = 256;
const MOST_CHARACTERS = 100_000;

/** A verdict per item. Refuses a judge that is not at hand, and too much at once. */
export async function tryJudge(question: Question, sources: TrySources): Promise<readonly Verdict[]> {
  const { judge: spec, items } = question;
  checkItems(items);
  if (spec.kind === "person") refuse("CFG-1", "You are the judge here: there is nothing to try.");
  const open = () => openJudge(spec, sources, nobody);
  if (spec.kind !== "rewardModel" && spec.kind !== "implicit") {
    return ask(await open(), items.map(judgedText));
  }
  // What reads tokens needs the device, and the policy at rest.
  return sources.alone(() =>
    sources.withPolicy(async (policy) => {
      const texts = judgedTokens(items, sources.model(), sources.data());
      return ask(spec.kind === "implicit" ? policyJudge(sources, policy) : await open(), texts);
    }),
  );
}

/** Nobody at the screen is asked. */
const nobody: PersonJudgeSettings = { runId: "", seed: 0, emit: () => undefined };

/** The policy of the run under way, or of the last one. */
function policyJudge({ model }: TrySources, policy: SeenPolicy | null): OpenJudge {
  const { weights } = policy ?? refuse("RUN-1", "There is no policy to ask yet: train at least one step.");
  return { judge: withReasons(implicitJudge(model().model, weights)), dispose: () => undefined };
}

async function ask(
  { judge, dispose }: OpenJudge,
  texts: readonly (JudgedAnswer | Extract<Verdict, { readonly reason: string }>)[],
): Promise<readonly Verdict[]> {
  const readable = texts.filter((text) => "answer" in text);
  try {
    const verdicts = [...(await judge.score(readable, new AbortController().signal))];
    return texts.map((text) => ("answer" in text ? (verdicts.shift() ?? { reason: "" }) : text));
  } finally {
    dispose();
  }
}

function checkItems(items: Question["items"]): void {
  if (items.length > MOST_ITEMS) {
    refuse("CFG-1", `${items.length} answers are asked about: at most ${MOST_ITEMS} are judged at once.`);
  }
  const longest = Math.max(0, ...items.map(({ prompt, answer }) => prompt.length + answer.length));
  if (longest <= MOST_CHARACTERS) return;
  refuse(
    "CFG-1",
    `An answer has ${longest} characters with its prompt: at most ${MOST_CHARACTERS} are judged.`,
  );
}
