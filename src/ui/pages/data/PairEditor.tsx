import { Button, Textarea } from "@mantine/core";
import { useState } from "react";
import { reviseRow, revisionOf, unreviseRow } from "../../../state/dataSteps.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import type { DataRow } from "../../../worker/protocol.ts";
import { formatCount } from "../../format.ts";
import { editDistance, wordsOf } from "./wordDiff.ts";

/** What the editor of a pair is made of. */
export interface PairEditorProps {
  readonly row: DataRow;
  readonly onClose: () => void;
}

/** Contrastive pairs by revision (CLAIR): the less is changed between the answers, the clearer what is preferred. */
export function PairEditor({ row, onClose }: PairEditorProps) {
  const steps = useSetupStore(({ config }) => config.dataSteps);
  const [chosen, setChosen] = useState(row.chosen);
  const [rejected, setRejected] = useState(row.rejected);
  const isChanged = chosen !== row.chosen || rejected !== row.rejected;
  const isEmpty = chosen.trim() === "" || rejected.trim() === "" || chosen === rejected;
  const save = () => {
    reviseRow({
      row: row.row,
      ...(chosen === row.chosen ? {} : { chosen }),
      ...(rejected === row.rejected ? {} : { rejected }),
    });
    onClose();
  };
  const takeBack = () => {
    unreviseRow(row.row);
    onClose();
  };
  return (
    <div className="pair-editor">
      <Textarea
        size="xs"
        autosize
        minRows={2}
        label="Chosen"
        value={chosen}
        onChange={({ currentTarget }) => setChosen(currentTarget.value)}
      />
      <Textarea
        size="xs"
        autosize
        minRows={2}
        label="Rejected"
        value={rejected}
        onChange={({ currentTarget }) => setRejected(currentTarget.value)}
      />
      <p className="note" role="status" data-testid="edit-distance">
        {distanceSentence(chosen, rejected)}
        {isChanged && ` ${changeSentence(row, chosen, rejected)}`}
      </p>
      <div className="dialog-actions">
        <Button size="xs" disabled={!isChanged || isEmpty} onClick={save}>
          Use this text
        </Button>
        <Button
          size="xs"
          variant="default"
          disabled={chosen === rejected}
          onClick={() => setChosen(rejected)}
        >
          Start from the rejected answer
        </Button>
        {revisionOf(steps, row.row) !== null && (
          <Button size="xs" variant="default" onClick={takeBack}>
            Take the revision back
          </Button>
        )}
        <Button size="xs" variant="subtle" onClick={onClose}>
          Cancel
        </Button>
      </div>
    </div>
  );
}

function distanceSentence(chosen: string, rejected: string): string {
  if (chosen === rejected) return "The answers are the same: change what would make one better.";
  return `${words(editDistance(rejected, chosen))} of ${formatCount(wordsOf(rejected).length)} to change from rejected to chosen.`;
}

function changeSentence(row: DataRow, chosen: string, rejected: string): string {
  const changed = editDistance(row.chosen, chosen) + editDistance(row.rejected, rejected);
  return `${words(changed)} changed by you.`;
}

function words(count: number): string {
  return `${formatCount(count)} ${count === 1 ? "word" : "words"}`;
}
