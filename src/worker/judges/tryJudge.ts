/** Asks a judge about texts that a person types, without a run. */
import type { JudgedAnswer, Verdict } from "../../engine/judges/answerJudge.ts";
import { refuse } from "../errorReport.ts";
import type { DeskSources } from "../featureDesk.ts";
import type { LoadedData } from "../library.ts";
import type { Commands } from "../protocol.ts";
import { judgedText, judgedTokens } from "./judgedTexts.ts";
import { openJudge, type JudgeMakings } from "./openJudges.ts";

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
  if (spec.kind !== "rewardModel" && spec.kind !== "implicit") {
    return ask(question, items.map(judgedText), sources);
  }
  // What reads tokens needs the device, and the policy at rest.
  return sources.alone(() =>
    sources.withPolicy(() => ask(question, judgedTokens(items, sources.model(), sources.data()), sources)),
  );
}

async function ask(
  { judge: spec }: Question,
  texts: readonly (JudgedAnswer | Extract<Verdict, { readonly reason: string }>)[],
  sources: TrySources,
): Promise<readonly Verdict[]> {
  const readable = texts.filter((text) => "answer" in text);
  const { judge, dispose } = await openJudge(spec, sources, { runId: "", seed: 0 });
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
