/** Answers of the policy, each from a stream of random numbers of its own. */
import { createRandom } from "../data/random.ts";
import { generate, promptsAtOnce } from "../generation/generate.ts";
import type { Model } from "../models/decoder.ts";
import type { Weights } from "../models/weights.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { RunConfig } from "../training/config.ts";
import type { SamplePrompt } from "../training/samples.ts";
import { restingPlace, type RoundContext, type RoundReport } from "./roundContext.ts";
import type { DrawnAnswer } from "./roundsState.ts";

/** The most answers that a prompt can have: a stream belongs to a prompt and an answer, however many others there are. */
const MOST_ANSWERS = 64;
/** Stream of random numbers that seeds of rounds are drawn from; held-out prompts have the one before the first round's. */
const SEED_STREAM = 2_000_000;
const SEEDS = 2 ** 31;

/** An answer that is to be drawn: the prompt by its place, and which of its answers. */
export interface AnswerPlace {
  readonly prompt: number;
  readonly answer: number;
}

/** The seed of a round's answers; round −1 stands for the held-out prompts, which have the same at every evaluation. */
export function answerSeed(seed: number, round: number): number {
  return createRandom(seed, SEED_STREAM + round).integer(SEEDS);
}

/** Places of `count` answers to each of some prompts, prompt by prompt. */
export function answerPlaces(prompts: readonly number[], count: number): AnswerPlace[] {
  return prompts.flatMap((prompt) => Array.from({ length: count }, (_, answer) => ({ prompt, answer })));
}

/** Who answers what, and how. */
export interface DrawingSettings {
  readonly model: Model;
  readonly weights: Weights;
  readonly tokenizer: Tokenizer;
  readonly prompts: readonly SamplePrompt[];
  readonly config: Pick<RunConfig, "sampleTokens" | "maxTokens" | "terminator">;
  readonly temperature: number;
  readonly topP: number;
  readonly seed: number;
}

/** Draws some answers at once; no prompt with its answer is longer than `maxTokens`. */
export async function drawTogether(
  settings: DrawingSettings,
  places: readonly AnswerPlace[],
): Promise<DrawnAnswer[]> {
  const { model, weights, tokenizer, prompts, config, temperature, topP, seed } = settings;
  const idsOf = ({ prompt }: AnswerPlace) => prompts[prompt]?.ids ?? new Int32Array();
  const drawn = await generate(model, weights, places.map(idsOf), {
    maxNewTokens: config.sampleTokens,
    temperature,
    topP,
    seed,
    streams: places.map(({ prompt, answer }) => prompt * MOST_ANSWERS + answer),
    stopTokenIds: tokenizer.stopTokenIds,
    // Where the set is read without terminators, the answers that are trained on have none either.
    keepsStopToken: config.terminator !== "none",
  });
  return places.map((place, index) => {
    const prompt = idsOf(place);
    const ids = (drawn[index] ?? []).slice(0, Math.max(0, config.maxTokens - prompt.length));
    return { prompt: place.prompt, ids, text: tokenizer.decode(ids, { after: [...prompt] }) };
  });
}

/** Draws what the round still lacks of its answers, a few at a time. */
export async function* drawRound(context: RoundContext, step: number): AsyncGenerator<RoundReport, void> {
  const { config, state, signal } = context;
  const places = answerPlaces(state.drawn, config.answersPerPrompt);
  const settings: DrawingSettings = {
    ...context,
    temperature: config.answerTemperature,
    topP: config.answerTopP,
    seed: answerSeed(config.seed, state.round),
  };
  while (state.answers.length < places.length) {
    const done = state.answers.length;
    yield { kind: "generating", step, done, total: places.length };
    signal.throwIfAborted();
    state.answers.push(...(await drawTogether(settings, places.slice(done, done + promptsAtOnce))));
    yield restingPlace;
  }
}
