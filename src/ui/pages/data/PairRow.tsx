import { Button } from "@mantine/core";
import { useMemo, useState } from "react";
import type { DataRow } from "../../../worker/protocol.ts";
import { RowButton, type RowState } from "../../components/RowGrid.tsx";
import { formatCount, formatValue } from "../../format.ts";
import { PairEditor } from "./PairEditor.tsx";
import { checkNames } from "./stepSentence.ts";
import { wordDiff, type TextPiece } from "./wordDiff.ts";

/** What a row of the table is made of. */
export interface PairRowProps extends RowState {
  /** Null while it is on its way. */
  readonly row: DataRow | null;
}

/** A pair with what its answers do not share; open, it shows all of it and can be revised. */
export function PairRow({ row, ...state }: PairRowProps) {
  const { index, isOpen } = state;
  const [isEditing, setEditing] = useState(false);
  const pieces = useMemo(() => (row === null ? null : wordDiff(row.chosen, row.rejected)), [row]);
  if (row === null || pieces === null) {
    return (
      <div role="row" aria-rowindex={index + 2} className="grid-row" aria-busy="true">
        <span role="gridcell" className="note">
          Reading…
        </span>
      </div>
    );
  }
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      className="grid-row"
      data-open={isOpen}
      data-testid={`pair-${row.row}`}
    >
      <span role="gridcell" className="row-number">
        <RowButton {...state} name="Row" number={row.row + 1} />
        {row.split === "heldout" && <span className="tag">held out</span>}
      </span>
      <span role="gridcell" className="row-text">
        {row.prompt}
      </span>
      <Answer side="chosen" pieces={pieces.left} />
      <Answer side="rejected" pieces={pieces.right} />
      <span role="gridcell" className="pair-figures">
        <span>
          {formatCount(row.chosenTokens)} / {formatCount(row.rejectedTokens)}
        </span>
        {row.gap !== null && <span>gap {formatValue(row.gap)}</span>}
        {row.flags.map((flag) => (
          <span key={flag} className="tag">
            {checkNames[flag]}
          </span>
        ))}
      </span>
      {isOpen && (
        <div role="gridcell" className="pair-more">
          <p className="note">{row.source}</p>
          {isEditing ? (
            <PairEditor row={row} onClose={() => setEditing(false)} />
          ) : (
            <Button size="xs" variant="default" onClick={() => setEditing(true)}>
              Revise an answer
            </Button>
          )}
        </div>
      )}
    </div>
  );
}

interface AnswerProps {
  readonly side: "chosen" | "rejected";
  readonly pieces: readonly TextPiece[];
}

function Answer({ side, pieces }: AnswerProps) {
  return (
    <span role="gridcell" className={`row-text pair-${side}`}>
      <span className="pair-side">{side}</span>
      {pieces.map(({ text, isShared }, index) =>
        isShared ? text : <Difference key={index} side={side} text={text} />,
      )}
    </span>
  );
}

/** Words that the other answer does not have; the space before them is no difference to be seen. */
function Difference({ side, text }: { readonly side: AnswerProps["side"]; readonly text: string }) {
  const words = text.trim();
  const start = text.indexOf(words);
  return (
    <>
      {text.slice(0, start)}
      <mark className={`diff-${side}`}>{words}</mark>
      {text.slice(start + words.length)}
    </>
  );
}
