import { useJudgementStore } from "../../../state/judgement.ts";
import { openTab } from "../../../state/navigation.ts";
import { formatCount } from "../../format.ts";

/** Says on the Train screen that the run waits for a person, and leads there. */
export function JudgementNotice() {
  const question = useJudgementStore((state) => state.question);
  if (question === null) return null;
  const { length } = question.groups;
  return (
    <p className="panel judgement-notice" role="status" data-testid="judgement-notice">
      The round waits for your judgement of {formatCount(length)} {length === 1 ? "prompt" : "prompts"}.{" "}
      <button type="button" className="link-button" onClick={() => openTab("online", "rounds")}>
        Judge the answers
      </button>
    </p>
  );
}
