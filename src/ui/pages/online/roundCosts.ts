/** What rounds cost: seconds by stage, the share of drawing and scoring, and what drawing fewer prompts saves. */
import type { RoundRecord } from "../../../worker/protocol.ts";
import { formatCount, formatShare, formatValue } from "../../format.ts";

/** Share of a round's prompts that were drawn anew. */
export function regeneratedShare({ prompts }: RoundRecord): number {
  if (prompts.length === 0) return 0;
  return prompts.filter(({ isRegenerated }) => isRegenerated).length / prompts.length;
}

/** Seconds of a round without the evaluation, which it does not need. */
export function secondsOf({ seconds }: RoundRecord): number {
  return seconds.generate + seconds.score + seconds.reference + seconds.train;
}

/** What was measured of full and partial rounds of one run. */
export interface SpeedUp {
  /** Share g of drawing and scoring in the seconds of the full rounds. */
  readonly drawingShare: number;
  /** Mean share ρ of the prompts that the partial rounds drew. */
  readonly regeneratedShare: number;
  /** 1 / (1 − g(1 − ρ)). Source: methods.md §4.3. */
  readonly predicted: number;
  /** Mean seconds of a full round over those of a partial one. */
  readonly measured: number;
  readonly fullRounds: number;
  readonly partialRounds: number;
}

/** Compares the rounds that drew every prompt with those that drew some; null before there is one of each. */
export function speedUp(rounds: readonly RoundRecord[]): SpeedUp | null {
  const over = rounds.filter(({ isOver }) => isOver);
  const full = over.filter((round) => regeneratedShare(round) === 1);
  // The first round draws all prompts or takes the set's own pairs, which compares with nothing.
  const partial = over.filter((record) => record.round > 0 && regeneratedShare(record) < 1);
  if (full.length === 0 || partial.length === 0) return null;
  const drawingShare = drawingShareOf(full);
  const share = mean(partial.map(regeneratedShare));
  const fullSeconds = mean(full.map(secondsOf));
  const partialSeconds = mean(partial.map(secondsOf));
  if (drawingShare === null || partialSeconds <= 0) return null;
  return {
    drawingShare,
    regeneratedShare: share,
    predicted: 1 / (1 - drawingShare * (1 - share)),
    measured: fullSeconds / partialSeconds,
    fullRounds: full.length,
    partialRounds: partial.length,
  };
}

/** Share of drawing and scoring in the seconds of rounds; null where no time was measured. */
export function drawingShareOf(rounds: readonly RoundRecord[]): number | null {
  const all = rounds.reduce((sum, round) => sum + secondsOf(round), 0);
  if (!(all > 0)) return null;
  return rounds.reduce((sum, { seconds }) => sum + seconds.generate + seconds.score, 0) / all;
}

/** Tokens that were drawn, and those that answers from earlier rounds saved. */
export function tokensOf(rounds: readonly RoundRecord[]): { generated: number; saved: number } {
  return {
    generated: rounds.reduce((sum, { generatedTokens }) => sum + generatedTokens, 0),
    saved: rounds.reduce((sum, { savedTokens }) => sum + savedTokens, 0),
  };
}

/** The share of drawing and scoring, and what drawing fewer prompts should save and has saved, in words with numbers. */
export function costSentence(rounds: readonly RoundRecord[]): string {
  const over = rounds.filter(({ isOver }) => isOver);
  const share = drawingShareOf(over);
  if (share === null) return "No round is over yet: its seconds come with its last step.";
  const { generated, saved } = tokensOf(over);
  const tokens = `${formatCount(generated)} tokens were drawn and ${formatCount(saved)} saved.`;
  const compared = speedUp(over);
  if (compared === null) {
    const missing = over.some((round) => regeneratedShare(round) === 1)
      ? "every round so far drew all prompts"
      : "no round drew all prompts";
    return `Drawing and scoring took g = ${formatShare(share)} of the seconds; ${missing}, so that there is nothing to compare. ${tokens}`;
  }
  const [g, rho] = [compared.drawingShare, compared.regeneratedShare].map((value) => value.toFixed(2));
  return (
    `Drawing and scoring took g = ${g} of a round over all prompts. At ρ = ${rho} a round should be ` +
    `1 / (1 − ${g} · (1 − ${rho})) = ${times(compared.predicted)} as fast; measured: ${times(compared.measured)} ` +
    `(${roundsText(compared.fullRounds, "full")} against ${roundsText(compared.partialRounds, "partial")}).${onceText(over)} ${tokens}`
  );
}

/** The first round compiles and records what later ones play again; alone it makes drawing less look quicker than it is. */
function onceText(over: readonly RoundRecord[]): string {
  const isFirstAlone = over.every((record) => record.round === 0 || regeneratedShare(record) < 1);
  return isFirstAlone ? " The only full round is the first, which also pays for what is done once." : "";
}

function times(value: number): string {
  return `${formatValue(value)} times`;
}

function roundsText(count: number, kind: string): string {
  return `${formatCount(count)} ${kind} ${count === 1 ? "round" : "rounds"}`;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
