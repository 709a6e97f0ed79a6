import { Button } from "@mantine/core";
import {
  chooseAnswer,
  chooseNone,
  nextGroup,
  sendJudgement,
  undoChoice,
  useJudgementStore,
} from "../../../state/judgement.ts";
import type { JudgementQuestion } from "../../../worker/protocol.ts";
import { Panel } from "../../components/Panel.tsx";
import { Refusal } from "../../components/Refusal.tsx";
import { formatCount } from "../../format.ts";
import { useJudgementKeys } from "./useJudgementKeys.ts";
import "./judges.css";

/** Answers of a round that wait for a person; nothing where none wait. */
export function JudgementPanel() {
  const question = useJudgementStore((state) => state.question);
  return question === null ? null : <Judgement question={question} />;
}

function Judgement({ question }: { readonly question: JudgementQuestion }) {
  useJudgementKeys();
  const { choices, best, isSending, refusal } = useJudgementStore();
  const place = nextGroup({ question, choices });
  const group = place === null ? undefined : question.groups[place];
  return (
    <Panel title="The round waits for your judgement" className="judgement">
      <Progress question={question} />
      {group === undefined ? (
        <p role="status">All decided. The run goes on with what you chose.</p>
      ) : (
        <Group key={place} prompt={group.prompt} answers={group.answers} best={best} />
      )}
      <Refusal title="Your choices were not taken." reason={refusal} />
      <div className="dialog-actions">
        {group !== undefined && (
          <Button size="sm" variant="default" data-testid="choose-none" onClick={chooseNone}>
            Equal, no pair <kbd>0</kbd>
          </Button>
        )}
        {group === undefined && (
          <Button
            size="sm"
            data-testid="send-judgement"
            loading={isSending}
            onClick={() => void sendJudgement()}
          >
            Send, and go on
          </Button>
        )}
        <Button
          size="sm"
          variant="default"
          data-testid="undo-choice"
          disabled={isSending || (choices.length === 0 && best === null)}
          onClick={undoChoice}
        >
          Undo <kbd>u</kbd>
        </Button>
      </div>
    </Panel>
  );
}

function Progress({ question }: { readonly question: JudgementQuestion }) {
  const choices = useJudgementStore((state) => state.choices);
  const without = choices.filter((choice) => choice === null).length;
  return (
    <div className="judgement-progress">
      <progress max={question.groups.length} value={choices.length} aria-label="Decided" />
      <p data-testid="judgement-progress">
        {`${formatCount(choices.length)} of ${formatCount(question.groups.length)} prompts decided`}
        {without > 0 && ` · ${formatCount(without)} without a pair`}
      </p>
      {without > 0 && without === choices.length && (
        <p className="note" role="status" data-testid="judgement-no-pair">
          No prompt has a pair of yours so far. A round without any pair ends the run: where one answer is
          better, undo and choose it.
        </p>
      )}
    </div>
  );
}

interface GroupProps {
  readonly prompt: string;
  readonly answers: readonly string[];
  readonly best: number | null;
}

function Group({ prompt, answers, best }: GroupProps) {
  const isPair = answers.length === 2;
  const wanted = isPair ? "better" : best === null ? "best" : "worst";
  return (
    <>
      <p className="blind-prompt" data-testid="judgement-prompt">
        {prompt}
      </p>
      <p role="status">
        Which answer is the <strong>{wanted}</strong>
        {isPair ? " one?" : "?"}
      </p>
      <div className="judgement-answers">
        {answers.map((answer, place) => (
          <button
            key={place}
            type="button"
            className="judgement-answer"
            aria-pressed={place === best}
            data-testid={`judgement-${place}`}
            onClick={() => chooseAnswer(place)}
          >
            <span className="judgement-name">
              Answer {place + 1} {place < 9 && <kbd>{place + 1}</kbd>}
              {place === best && <strong> best</strong>}
            </span>
            <span className="judgement-text">{answer.trim() === "" ? "(nothing)" : answer.trim()}</span>
          </button>
        ))}
      </div>
    </>
  );
}
