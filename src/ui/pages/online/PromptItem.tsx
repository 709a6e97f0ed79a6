import { useMemo } from "react";
import type { PromptOutcome, ScoredPair } from "../../../worker/protocol.ts";
import { RowButton, type RowState } from "../../components/RowGrid.tsx";
import { formatChange, formatValue } from "../../format.ts";
import { wordDiff, type TextPiece } from "../data/wordDiff.ts";
import type { PromptRow } from "./promptRows.ts";
import { reasonTexts } from "./roundGaps.ts";

/** What a row of the list is made of. */
interface PromptItemProps extends RowState {
  readonly row: PromptRow;
}

/** A prompt with its pair before and now; words of the new answers that the old ones do not have are marked. */
export function PromptItem({ row, ...state }: PromptItemProps) {
  const { index, isOpen } = state;
  const { place, outcome, fate, score, change } = row;
  const isSame = fate === "kept" && outcome.before !== null;
  const pieces = useMemo(() => (fate === "regenerated" ? changedPieces(outcome) : null), [outcome, fate]);
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      className="grid-row"
      data-open={isOpen}
      data-testid={`prompt-${place}`}
    >
      <span role="gridcell" className="row-number">
        <RowButton {...state} name="Prompt" number={place + 1} />
        <span className="tag">{fateText(row)}</span>
      </span>
      <span role="gridcell" className="row-text">
        {outcome.prompt}
      </span>
      <span role="gridcell" className="prompt-pair">
        <Pair title={isSame ? "Before and now" : "Before"} pair={outcome.before} pieces={null} />
      </span>
      <span role="gridcell" className="prompt-pair">
        {isSame ? (
          <span className="prompt-none prompt-same">the same pair</span>
        ) : (
          <Pair title="Now" pair={outcome.now} pieces={pieces} />
        )}
      </span>
      <span role="gridcell" className="prompt-figures">
        <span>{score === null ? "no pair" : `mean ${scoreText(score)}`}</span>
        {change !== null && <strong>{formatChange(rounded(change))}</strong>}
      </span>
    </div>
  );
}

function fateText({ fate, outcome }: PromptRow): string {
  if (fate === "regenerated") return outcome.before === null ? "first pair" : "new pair";
  if (fate === "kept") return outcome.before === null ? "from the set" : "kept";
  const reason = reasonTexts[outcome.reason];
  if (outcome.now === null) return reason === "" ? "no pair" : `no pair: ${reason}`;
  return `old pair stays: ${reason}`;
}

interface Pieces {
  readonly chosen: readonly TextPiece[];
  readonly rejected: readonly TextPiece[];
}

function changedPieces({ before, now }: PromptOutcome): Pieces | null {
  if (before === null || now === null) return null;
  return {
    chosen: wordDiff(before.chosen, now.chosen).right,
    rejected: wordDiff(before.rejected, now.rejected).right,
  };
}

interface PairProps {
  readonly title: string;
  readonly pair: ScoredPair | null;
  readonly pieces: Pieces | null;
}

function Pair({ title, pair, pieces }: PairProps) {
  return (
    <>
      <span className="prompt-side">
        {title}
        {pair !== null && <span>{drawnText(pair)}</span>}
      </span>
      {pair === null ? (
        <span className="prompt-none">no pair</span>
      ) : (
        (["chosen", "rejected"] as const).map((side) => (
          <span key={side} className={`prompt-answer prompt-${side}`}>
            <span className="prompt-score">
              {side} {scoreText(side === "chosen" ? pair.chosenScore : pair.rejectedScore)}
            </span>
            <span className="row-text">
              {pieces === null
                ? pair[side]
                : pieces[side].map(({ text, isShared }, index) =>
                    isShared ? text : <Difference key={index} text={text} />,
                  )}
            </span>
          </span>
        ))
      )}
    </>
  );
}

function drawnText({ drawnIn }: ScoredPair): string {
  return drawnIn < 0 ? "from the set" : `round ${drawnIn + 1}`;
}

/** Words that the answer before does not have; the space around them is no difference to be seen. */
function Difference({ text }: { readonly text: string }) {
  const words = text.trim();
  const start = text.indexOf(words);
  return (
    <>
      {text.slice(0, start)}
      <mark>{words}</mark>
      {text.slice(start + words.length)}
    </>
  );
}

/** A thousandth is as much as a list of scores needs. */
function rounded(score: number): number {
  return Math.round(score * 1000) / 1000;
}

function scoreText(score: number): string {
  return formatValue(rounded(score));
}
