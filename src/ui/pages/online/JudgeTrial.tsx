import { Button, Textarea } from "@mantine/core";
import { judgeLabel, judgeList } from "../../../state/judges.ts";
import {
  combinedScore,
  editTrial,
  tryJudges,
  useTrialStore,
  type TrialVerdict,
} from "../../../state/judgeTrial.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import { Panel } from "../../components/Panel.tsx";
import { formatSetting, formatValue } from "../../format.ts";

/** A prompt and an answer, and what every judge says of them. */
export function JudgeTrial() {
  const { prompt, answer, isAsking, verdicts } = useTrialStore();
  const data = useSetupStore((state) => state.data);
  const [example] = data?.examples ?? [];
  return (
    <Panel title="Try the judges">
      <div className="judge-form" aria-busy={isAsking}>
        <Textarea
          size="xs"
          autosize
          minRows={2}
          maxRows={8}
          label="Prompt"
          data-testid="trial-prompt"
          value={prompt}
          onChange={({ currentTarget }) => editTrial({ prompt: currentTarget.value })}
        />
        <Textarea
          size="xs"
          autosize
          minRows={2}
          maxRows={8}
          label="Answer"
          data-testid="trial-answer"
          value={answer}
          onChange={({ currentTarget }) => editTrial({ answer: currentTarget.value })}
        />
        <div className="dialog-actions">
          <Button
            size="xs"
            data-testid="try-judges"
            loading={isAsking}
            disabled={answer.trim() === ""}
            onClick={() => void tryJudges()}
          >
            Score
          </Button>
          {example !== undefined && (
            <>
              <Button
                size="xs"
                variant="default"
                onClick={() => editTrial({ prompt: example.prompt, answer: example.chosen })}
              >
                A chosen answer
              </Button>
              <Button
                size="xs"
                variant="default"
                onClick={() => editTrial({ prompt: example.prompt, answer: example.rejected })}
              >
                A rejected one
              </Button>
            </>
          )}
        </div>
        <div role="status">{verdicts !== null && <Verdicts verdicts={verdicts} />}</div>
      </div>
    </Panel>
  );
}

function Verdicts({ verdicts }: { readonly verdicts: readonly TrialVerdict[] }) {
  const list = judgeList.useStore((state) => state.answer);
  const sum = combinedScore(verdicts);
  if (verdicts.length === 0) return <p className="note">There is no judge to ask here.</p>;
  return (
    <table className="judge-scores" data-testid="trial-scores">
      <thead>
        <tr>
          <th scope="col">Judge</th>
          <th scope="col">Score</th>
          <th scope="col">Weight</th>
        </tr>
      </thead>
      <tbody>
        {verdicts.map(({ judge, weight, verdict }) => (
          <tr key={`${JSON.stringify(judge)} ${weight}`}>
            <th scope="row">{judgeLabel(judge, list)}</th>
            <td className={"reason" in verdict ? "judge-reason" : undefined}>
              {"score" in verdict ? formatValue(verdict.score) : verdict.reason}
            </td>
            <td>{weight === null ? "kept aside" : `× ${formatSetting(weight)}`}</td>
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">Together</th>
          <td>{sum === null ? "no score" : formatValue(sum)}</td>
          <td>the sum</td>
        </tr>
      </tfoot>
    </table>
  );
}
