/** Answers of the model to prompts of the loaded set, for a person to choose between. */
import { createRandom, permutation } from "../engine/data/random.ts";
import { textOf } from "../engine/data/row.ts";
import { generate } from "../engine/generation/generate.ts";
import type { LoadedModel } from "../engine/models/loadModel.ts";
import type { Weights } from "../engine/models/weights.ts";
import { heldPairs, type HeldPairs } from "./checkedData.ts";
import { refuse } from "./errorReport.ts";
import type { Commands, SampledAnswers } from "./protocol.ts";

/** What is asked. */
export type SampleQuestion = Commands["sampleAnswers"]["question"];

/** Answers at once, each of so many tokens, and the heat they are drawn with. */
const MOST_ANSWERS = 1024;
const MOST_TOKENS = 512;
const HIGHEST_TEMPERATURE = 5;

/** A prompt as a person and as the model reads it. */
interface AskedPrompt {
  readonly text: string;
  readonly ids: Int32Array;
}

/**
 * Draws answers to the prompts that are asked for, or else to so many different training prompts, which the seed chooses.
 * The same question to the same weights has the same answers. Refuses numbers out of range.
 */
export async function sampleAnswers(
  { model, tokenizer }: LoadedModel,
  weights: Weights,
  { data, question }: { readonly data: HeldPairs; readonly question: SampleQuestion },
): Promise<SampledAnswers[]> {
  checkQuestion(question);
  const { answersPerPrompt, maxNewTokens, temperature, seed } = question;
  const prompts = askedPrompts(data, question, tokenizer);
  const repeated = prompts.flatMap((prompt) => Array.from({ length: answersPerPrompt }, () => prompt));
  const answers = await generate(
    model,
    weights,
    repeated.map(({ ids }) => ids),
    { maxNewTokens, temperature, seed, stopTokenIds: tokenizer.stopTokenIds },
  );
  const texts = answers.map((ids, index) =>
    tokenizer.decode(ids, { after: [...(repeated[index]?.ids ?? [])] }),
  );
  return prompts.map(({ text }, index) => ({
    prompt: text,
    answers: texts.slice(index * answersPerPrompt, (index + 1) * answersPerPrompt),
  }));
}

function checkQuestion({
  prompts,
  count,
  answersPerPrompt,
  maxNewTokens,
  temperature,
}: SampleQuestion): void {
  const asked = prompts?.length ?? count;
  const answers = asked * answersPerPrompt;
  if (!(asked >= 1 && answersPerPrompt >= 1 && answers <= MOST_ANSWERS)) {
    refuse(
      "CFG-1",
      `${answersPerPrompt} answers to each of ${asked} prompts are asked for: from 1 to ${MOST_ANSWERS} answers can be drawn at once.`,
    );
  }
  if (!(maxNewTokens >= 1 && maxNewTokens <= MOST_TOKENS)) {
    refuse(
      "CFG-1",
      `Answers of ${maxNewTokens} tokens are asked for: from 1 to ${MOST_TOKENS} can be drawn.`,
    );
  }
  if (!(temperature >= 0 && temperature <= HIGHEST_TEMPERATURE)) {
    refuse("CFG-1", `The temperature is ${temperature}: it goes from 0 to ${HIGHEST_TEMPERATURE}.`);
  }
}

function askedPrompts(
  data: HeldPairs,
  { prompts, count, seed }: SampleQuestion,
  tokenizer: LoadedModel["tokenizer"],
): AskedPrompt[] {
  const known = new Map<string, AskedPrompt & { readonly split: string }>();
  const pairs = heldPairs(data);
  for (const { split, pair, row } of pairs) {
    const text = textOf(row.prompt);
    if (!known.has(text)) known.set(text, { text, ids: pair.prompt, split });
  }
  if (prompts === null) {
    const own = [...known.values()].filter(({ split }) => split === "train");
    const drawn = permutation(own.length, createRandom(seed)).slice(0, count);
    return Array.from(drawn).flatMap((index) => own[index] ?? []);
  }
  const isChat = tokenizer.hasChatTemplate && pairs.some(({ row }) => typeof row.prompt !== "string");
  return prompts.map((text) => known.get(text) ?? { text, ids: idsOf(text, isChat, tokenizer) });
}

/** Ids of a prompt that is not in the set: what a person says where the set holds conversations, and plain text elsewhere. */
function idsOf(text: string, isChat: boolean, tokenizer: LoadedModel["tokenizer"]): Int32Array {
  const ids = isChat
    ? tokenizer.encode(
        tokenizer.renderChat([{ role: "user", content: text }], { addGenerationPrompt: true }),
        { addSpecialTokens: false },
      )
    : tokenizer.encode(text, { addSpecialTokens: true });
  if (ids.length === 0) refuse("CFG-1", `The prompt "${text}" has no tokens to go on from: write one.`);
  return Int32Array.from(ids);
}
