import { Button } from "@mantine/core";
import { useState } from "react";
import { resume, stop } from "../../../state/actions.ts";
import { retryJudges } from "../../../state/rounds.ts";
import type { RoundRecord } from "../../../worker/protocol.ts";
import { Icon } from "../../components/Icon.tsx";
import { Refusal } from "../../components/Refusal.tsx";
import { formatCount } from "../../format.ts";
import { answersFailed, failureGroups, type FailureGroup } from "./failureList.ts";

/** Answers of a group that are listed. */
const mostListed = 20;

/** Which answers of the paused round have no score, why, and what can be done. */
export function FailureAlert({ record }: { readonly record: RoundRecord }) {
  const [isAsking, setAsking] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const retry = async () => {
    setAsking(true);
    setRefusal(await retryJudges());
    setAsking(false);
  };
  const failed = answersFailed(record.failures);
  return (
    <section className="panel failures" role="alert" aria-label="Judge failed" data-testid="judge-failed">
      <h2>
        <Icon name="error" size={18} />
        {`${formatCount(failed)} ${failed === 1 ? "answer" : "answers"} of round ${record.round + 1} could not be scored`}
      </h2>
      <p>
        The round waits. What the judges did score is kept. Without these answers their prompts are paired
        from the others, or keep the pair that they had.
      </p>
      {failureGroups(record.failures).map((group) => (
        <Group key={`${group.judge} ${group.reason}`} group={group} />
      ))}
      <Refusal title="The judges were not asked again." reason={refusal} />
      <div className="dialog-actions">
        <Button loading={isAsking} data-testid="retry-judges" onClick={() => void retry()}>
          Ask again
        </Button>
        <Button variant="default" disabled={isAsking} onClick={() => void resume()}>
          Go on without them
        </Button>
        <Button variant="default" disabled={isAsking} onClick={() => void stop()}>
          Stop
        </Button>
      </div>
    </section>
  );
}

function Group({ group: { judge, reason, answers } }: { readonly group: FailureGroup }) {
  return (
    <details className="failure-group">
      <summary>
        <strong>{judge}</strong>, {formatCount(answers.length)} {answers.length === 1 ? "answer" : "answers"}:{" "}
        {reason}
      </summary>
      <ul>
        {answers.slice(0, mostListed).map(({ prompt, answer }, index) => (
          <li key={index}>
            <span className="failure-prompt">{prompt}</span> {answer.trim() === "" ? "(nothing)" : answer}
          </li>
        ))}
      </ul>
      {answers.length > mostListed && (
        <p className="note">And {formatCount(answers.length - mostListed)} more.</p>
      )}
    </details>
  );
}
