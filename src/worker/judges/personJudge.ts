/** The person at the screen as a judge: asks with an event, and waits for the answer. */
import { createRandom, permutation } from "../../engine/data/random.ts";
import type { AnswerJudge, JudgedAnswer, Verdict } from "../../engine/judges/answerJudge.ts";
import { kindLabel } from "../../engine/judges/programJudge.ts";
import { withReasons } from "../../engine/judges/withReasons.ts";
import { refuse } from "../errorReport.ts";
import type { Commands, JudgementEvent, JudgementQuestion } from "../protocol.ts";

type Given = Commands["giveJudgement"]["question"];
type Choices = Given["choices"];

/** Whom a person judges for. */
export interface PersonJudgeSettings {
  readonly runId: string;
  /** Decides in which order answers are shown. */
  readonly seed: number;
  readonly emit: (event: JudgementEvent) => void;
}

/** Where a person's judgements are asked for and given. */
export interface PersonDesk {
  readonly judge: (settings: PersonJudgeSettings) => AnswerJudge;
  /** Takes the person's choices. Refuses those of a question that does not wait, and places that are not there. */
  readonly give: (given: Given) => void;
}

/** Whom a person judges for, until the signal says so. */
interface Asking extends PersonJudgeSettings {
  readonly signal: AbortSignal;
}

/** Different answers to one prompt, as they are shown. */
interface Group {
  readonly prompt: string;
  readonly answers: readonly string[];
}

/** A desk at which nothing is asked yet. */
export function createPersonDesk(): PersonDesk {
  let questions = 0;
  const waiting = new Map<
    number,
    { readonly groups: readonly Group[]; readonly take: (choices: Choices) => void }
  >();

  /** Resolves with the person's choices; rejects with the signal's reason. The question is withdrawn either way. */
  const ask = async (question: JudgementQuestion, { runId, emit, signal }: Asking): Promise<Choices> => {
    const stopped = new AbortController();
    try {
      return await new Promise<Choices>((resolve, reject) => {
        const stop = () => {
          reject(signal.reason as Error);
        };
        signal.addEventListener("abort", stop, { signal: stopped.signal });
        waiting.set(question.id, { groups: question.groups, take: resolve });
        emit({ type: "judgement", runId, question });
      });
    } finally {
      stopped.abort();
      waiting.delete(question.id);
      emit({ type: "judgement", runId, question: null });
    }
  };

  const score = async (answers: readonly JudgedAnswer[], asking: Asking): Promise<readonly Verdict[]> => {
    const id = ++questions;
    const random = createRandom(asking.seed, id);
    const runs = runsOf(answers);
    const groups = runs.map(({ prompt, texts }): Group => {
      const order = permutation(texts.length, random);
      return { prompt, answers: Array.from(order, (place) => texts[place] ?? "") };
    });
    // There is nothing to choose where all answers are the same.
    const asked = groups.filter((group) => group.answers.length > 1);
    const choices = asked.length === 0 ? [] : await ask({ id, groups: asked }, asking);
    return runs.flatMap(({ own }, index) => {
      const group = groups[index];
      const place = group === undefined ? -1 : asked.indexOf(group);
      return own.map(({ answer }) => ({ score: worth(answer, group, choices[place] ?? null) }));
    });
  };

  return {
    judge: (settings) =>
      withReasons({
        spec: { kind: "person" },
        label: kindLabel("person"),
        score: (answers, signal) => score(answers, { ...settings, signal }),
      }),
    give: ({ id, choices }) => {
      const open = waiting.get(id) ?? refuse("RUN-1", "These answers do not wait for a judgement any more.");
      checkChoices(choices, open.groups);
      open.take(choices);
    },
  };
}

/** Answers to one prompt that stand next to one another, with their different texts. */
function runsOf(
  answers: readonly JudgedAnswer[],
): { readonly prompt: string; readonly own: JudgedAnswer[]; readonly texts: readonly string[] }[] {
  const runs: { readonly prompt: string; readonly own: JudgedAnswer[] }[] = [];
  for (const answer of answers) {
    const last = runs.at(-1);
    if (last?.prompt === answer.prompt) last.own.push(answer);
    else runs.push({ prompt: answer.prompt, own: [answer] });
  }
  return runs.map((run) => ({ ...run, texts: [...new Set(run.own.map(({ answer }) => answer))] }));
}

/** 1 for the best, −1 for the worst, 0 for all others. */
function worth(answer: string, group: Group | undefined, choice: Choices[number]): number {
  if (group === undefined || choice === null) return 0;
  if (answer === group.answers[choice.best]) return 1;
  return answer === group.answers[choice.worst] ? -1 : 0;
}

function checkChoices(choices: Choices, groups: readonly Group[]): void {
  if (choices.length !== groups.length) {
    refuse(
      "CFG-1",
      `${choices.length} choices were given for ${groups.length} prompts: one is needed for each.`,
    );
  }
  for (const [index, { answers }] of groups.entries()) {
    const choice = choices[index] ?? null;
    if (choice === null) continue;
    const { best, worst } = choice;
    const isThere = [best, worst].every((place) => answers[place] !== undefined);
    if (isThere && best !== worst) continue;
    refuse(
      "CFG-1",
      `For prompt ${index + 1}, answer ${best + 1} was called the best and answer ${worst + 1} the worst: choose two different ones of ${answers.length}.`,
    );
  }
}
