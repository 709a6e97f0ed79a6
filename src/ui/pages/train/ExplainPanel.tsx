import { useRunStore, history } from "../../../state/runStore.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import type { ObjectiveCard, PairText } from "../../../worker/protocol.ts";
import { Icon } from "../../components/Icon.tsx";
import { PairNumbers } from "./explain/PairNumbers.tsx";
import { formatSetting, formatShare, formatValue } from "../../format.ts";

/** The method in words and symbols, what to watch, and the numbers of the present run. */
export function ExplainPanel() {
  const { description, config, runningConfig, data } = useSetupStore();
  const objective = description?.objectives.find(({ id }) => id === config.method);
  if (objective === undefined) return <p className="note">The trainer is still waking up.</p>;
  const example = data?.examples[0];
  return (
    <div className="explain" data-testid="explain">
      <p className="explain-sentence">{objective.sentence}</p>
      <Formula objective={objective} params={config.params} />
      {runningConfig?.method === objective.id && (
        <>
          <PairNumbers objective={objective} config={runningConfig} />
          <RunNumbers />
        </>
      )}
      <dl className="explain-signs">
        <div>
          <dt>Watch</dt>
          <dd>{objective.watch}</dd>
        </div>
        <div>
          <dt>Healthy</dt>
          <dd>{objective.healthy}</dd>
        </div>
        <div>
          <dt>Trouble</dt>
          <dd>{objective.trouble}</dd>
        </div>
      </dl>
      {example !== undefined && <ExamplePair pair={example} />}
      <a className="explain-paper" href={objective.paper.url} target="_blank" rel="noreferrer">
        {objective.paper.title} <Icon name="external" size={12} />
      </a>
    </div>
  );
}

function Formula({
  objective,
  params,
}: {
  readonly objective: ObjectiveCard;
  readonly params: Readonly<Record<string, number>>;
}) {
  return (
    <div className="formula">
      <code>{objective.formula}</code>
      {objective.parameters.length > 0 && (
        <span className="formula-values">
          {objective.parameters.map(({ key, label, default: initial }) => (
            <span key={key}>
              {label} = {formatSetting(params[key] ?? initial)}
            </span>
          ))}
        </span>
      )}
    </div>
  );
}

/** The few numbers that the words of the card are about; nothing before the first evaluation. */
function RunNumbers() {
  const evaluation = useRunStore((state) => state.latestEvaluation);
  const pointsStep = useRunStore((state) => state.pointsStep);
  const rows = evaluationRows(evaluation, history.evaluations[0]?.metrics ?? {});
  if (rows.length === 0) return null;
  return (
    <dl className="run-numbers" aria-label={`Held-out pairs at step ${pointsStep}`}>
      {rows.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function evaluationRows(
  now: Readonly<Record<string, number>>,
  first: Readonly<Record<string, number>>,
): [string, string][] {
  const rows: [string, string][] = [];
  const accuracy = now["eval_rewards/accuracies"];
  if (accuracy !== undefined) rows.push(["accuracy", formatShare(accuracy)]);
  const margin = now["eval_margins/logratio"];
  if (margin !== undefined) rows.push(["margin", formatValue(margin)]);
  for (const side of ["chosen", "rejected"] as const) {
    const value = now[`eval_logps/${side}`];
    const start = first[`eval_logps/${side}`];
    if (value === undefined || start === undefined) continue;
    const change = value - start;
    rows.push([`${side} log-prob`, `${change > 0 ? "+" : ""}${formatValue(change)}`]);
  }
  return rows;
}

function ExamplePair({ pair }: { readonly pair: PairText }) {
  return (
    <section className="example-pair" aria-label="One of the pairs">
      <h3>One of the pairs</h3>
      <p className="example-prompt">{pair.prompt}</p>
      <p className="example-answer example-chosen">
        <span>preferred</span> {pair.chosen}
      </p>
      <p className="example-answer example-rejected">
        <span>not</span> {pair.rejected}
      </p>
    </section>
  );
}
