/** The books of a round: which prompts it draws, what it makes of their answers, and what it trains on. */
import type { TokenPair } from "../data/tokenPair.ts";
import type { Objective } from "../losses/objective.ts";
import type { RunConfig } from "../training/config.ts";
import { combinedScores } from "./pairing.ts";
import type { RoundContext } from "./roundContext.ts";
import { roundMetrics } from "./roundMetrics.ts";
import { roundOutcome, takesSetPairs } from "./roundOutcome.ts";
import type { RoundRecord } from "./roundRecord.ts";
import { noSeconds, type RoundsState } from "./roundsState.ts";
import { roundWeights } from "./roundWeights.ts";
import { promptKeys, promptsToDraw, rankingKeyOf } from "./selection.ts";

const MS_PER_SECOND = 1000;

/** Starts the next round: who is drawn anew, or which answers of the set are to be scored. */
export function beginRound({ prompts, config, state }: RoundContext, step: number): void {
  state.round += 1;
  state.step = step;
  // The first evaluation belongs to the first round.
  if (state.round > 0) {
    state.pastSeconds += ownSeconds(state);
    state.seconds = noSeconds();
  }
  state.stage = "draw";
  state.answers = [];
  state.verdicts = [];
  state.failures = [];
  if (takesSetPairs(config, state.round)) {
    state.drawn = [];
    // Answers to two prompts are no pair of one of them.
    state.answers = prompts.flatMap(({ pair, chosen, rejected }, prompt) =>
      pair === null || pair.rejected.length === 0 || pair.rejectedPrompt !== undefined
        ? []
        : [
            { prompt, ids: [...pair.chosen], text: chosen },
            { prompt, ids: [...pair.rejected], text: rejected },
          ],
    );
    state.stage = "score";
    return;
  }
  const { round } = state;
  state.drawn = round === 0 ? [...prompts.keys()] : promptsToDraw(keysOf(state, config), config, round);
}

function keysOf({ stored, baselines }: RoundsState, config: RunConfig): number[] {
  const { rankingKey, hasPromptBaseline } = config;
  return promptKeys(stored, { rankingKey, baselines: hasPromptBaseline ? baselines : null });
}

/** What the round makes of its answers as far as they are scored, without keeping it. */
export function measureRound(context: RoundContext, objective: Objective) {
  const { prompts, config, state, judges } = context;
  const weights = judges.map(({ weight }) => weight);
  const scores = combinedScores(state.verdicts, weights, state.answers.length);
  const isOfSet = takesSetPairs(config, state.round);
  const { outcomes, stored } = roundOutcome(prompts, state, { scores, isOfSet });
  const own = judges.map(({ judge: { label } }, place) => ({
    label,
    verdicts: state.verdicts[place] ?? [],
  }));
  const { round, answers } = state;
  const keys = keysOf(state, config);
  const pairs = pairsOf({ ...context, state: { ...state, stored: [...stored] } });
  const metrics = {
    ...roundMetrics({ round, keys, outcomes, answers, scores, judges: own }),
    ...roundWeights(objective, config.params, pairs),
  };
  return { outcomes: [...outcomes], stored: [...stored], metrics };
}

/** Keeps what the round makes of its answers: from here on it is trained. */
export function settleRound(context: RoundContext, objective: Objective): void {
  const { state, config } = context;
  const { outcomes, stored, metrics } = measureRound(context, objective);
  Object.assign(state, { outcomes, stored, metrics, stage: "train" } satisfies Partial<RoundsState>);
  stored.forEach((pair, prompt) => {
    if (pair !== null) state.baselines[prompt] ??= rankingKeyOf(pair, config.rankingKey);
  });
  for (const prompt of state.drawn) state.drawnTokens[prompt] = 0;
  for (const { prompt, ids } of takesSetPairs(config, state.round) ? [] : state.answers) {
    state.drawnTokens[prompt] = (state.drawnTokens[prompt] ?? 0) + ids.length;
  }
}

/** The pairs that the round trains on, in the order of the prompts. */
export function pairsOf({ prompts, state }: Pick<RoundContext, "prompts" | "state">): TokenPair[] {
  return prompts.flatMap(({ ids, pair }, prompt) => {
    const stored = state.stored[prompt] ?? null;
    if (stored === null) return [];
    const rewardGap = stored.chosenScore - stored.rejectedScore;
    if (stored.drawnIn < 0) return pair === null ? [] : [{ ...pair, rewardGap }];
    const [chosen, rejected] = [stored.chosenIds, stored.rejectedIds].map((own) => Int32Array.from(own));
    if (chosen === undefined || rejected === undefined) return [];
    return [{ prompt: ids, chosen, rejected, row: pair?.row ?? prompt, rewardGap }];
  });
}

/** Seconds that the round took itself. */
export function ownSeconds({ seconds: { generate, score, reference, train } }: RoundsState): number {
  return generate + score + reference + train;
}

/** What is told of the round as it stands, or as it would be if it settled for what was made. */
export function recordOf(
  state: RoundsState,
  made: Pick<RoundsState, "outcomes" | "metrics"> = state,
): RoundRecord {
  const { outcomes, metrics } = made;
  const { round, step, failures, answers, drawn, drawnTokens, seconds } = state;
  const isDrawn = new Set(drawn);
  const generatedTokens = drawn.length === 0 ? 0 : answers.reduce((sum, { ids }) => sum + ids.length, 0);
  const milliseconds = (["generate", "score", "reference", "train"] as const).map(
    (stage) => [`online/${stage}_ms`, MS_PER_SECOND * seconds[stage]] as const,
  );
  return {
    round,
    step,
    prompts: outcomes,
    failures,
    generatedTokens,
    savedTokens: drawnTokens.reduce((sum, tokens, prompt) => sum + (isDrawn.has(prompt) ? 0 : tokens), 0),
    seconds: { ...seconds },
    isSettled: made === state,
    isOver: false,
    metrics: { ...metrics, ...Object.fromEntries(milliseconds) },
  };
}
