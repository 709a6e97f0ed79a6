import { Button } from "@mantine/core";
import { dropRound, savePairs, takePairs } from "../../../state/annotation.ts";
import type { JudgedFailure, JudgedPairs } from "../../../state/judgedPairs.ts";
import { judgeLabel, judgeList } from "../../../state/judges.ts";
import { Panel } from "../../components/Panel.tsx";
import { formatCount, formatValue } from "../../format.ts";

/** Pairs and failures that are shown of many. */
const mostShown = 20;

/** The pairs that judges made of the model's answers, before they join the set. */
export function JudgedPairsView({ judged }: { readonly judged: JudgedPairs }) {
  const { pairs, equal, unscored, failures } = judged;
  const count = pairs.length;
  return (
    <div className="annotate">
      <section className="panel annotate-progress" aria-label="Judged">
        <p role="status" data-testid="judged-summary">
          {`${formatCount(count)} ${count === 1 ? "pair" : "pairs"} from the judges`}
          {equal > 0 && ` · ${formatCount(equal)} left out: texts or scores were equal`}
          {unscored > 0 && ` · ${formatCount(unscored)} left out: fewer than two answers have a score`}
        </p>
        <div className="panel-actions">
          <Button size="xs" variant="default" disabled={count === 0} onClick={savePairs}>
            Export JSONL
          </Button>
          <Button size="xs" data-testid="use-pairs" disabled={count === 0} onClick={() => void takePairs()}>
            Use {count === 1 ? "this pair" : `these ${formatCount(count)} pairs`}
          </Button>
          <Button size="xs" variant="subtle" onClick={dropRound}>
            Start over
          </Button>
        </div>
      </section>
      {failures.length > 0 && <Failures failures={failures} />}
      {count > 0 && (
        <Panel
          title={count > mostShown ? `The first ${mostShown} of ${formatCount(count)} pairs` : "The pairs"}
        >
          {pairs.slice(0, mostShown).map((pair, place) => (
            <article key={place} className="seen-pair" aria-label={`Pair ${place + 1}`}>
              <p className="judged-prompt">{pair.prompt}</p>
              <div className="seen-sides">
                <Side name="best" text={pair.chosen} score={pair.score_chosen} />
                <Side name="worst" text={pair.rejected} score={pair.score_rejected} />
              </div>
            </article>
          ))}
        </Panel>
      )}
    </div>
  );
}

interface SideProps {
  readonly name: "best" | "worst";
  readonly text: string;
  readonly score: number | undefined;
}

function Side({ name, text, score }: SideProps) {
  return (
    <div>
      <span className={name === "best" ? "side-tag judged-tag" : "side-tag side-rejected judged-tag"}>
        {name} {score === undefined ? "" : formatValue(score)}
      </span>
      <p className="judged-text">{text.trim() === "" ? "(nothing)" : text.trim()}</p>
    </div>
  );
}

function Failures({ failures }: { readonly failures: readonly JudgedFailure[] }) {
  const list = judgeList.useStore((state) => state.answer);
  return (
    <section
      className="panel judged-failures"
      aria-label="Answers without a score"
      data-testid="judged-failures"
    >
      <h2>
        {failures.length === 1 ? "1 answer" : `${formatCount(failures.length)} answers`} could not be scored
      </h2>
      <ul className="plain-list">
        {failures.slice(0, mostShown).map(({ judge, answer, reason }, place) => (
          <li key={place}>
            <strong>{judgeLabel(judge, list)}</strong>: {reason}{" "}
            <span className="note">“{answer.trim().slice(0, 80)}”</span>
          </li>
        ))}
      </ul>
      {failures.length > mostShown && (
        <p className="note">And {formatCount(failures.length - mostShown)} more.</p>
      )}
    </section>
  );
}
