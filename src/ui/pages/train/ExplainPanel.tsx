import type { RunConfig } from "../../../engine/training/config.ts";
import { secondPrefix } from "../../../state/link.ts";
import { useRunStore, history } from "../../../state/runStore.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import type { ObjectiveCard } from "../../../worker/description.ts";
import type { PairText } from "../../../worker/protocol.ts";
import { Icon } from "../../components/Icon.tsx";
import { mixLabel } from "../../components/mixLabel.ts";
import { PairNumbers } from "./explain/PairNumbers.tsx";
import { formulaOf, knobValues } from "./explain/formulaNumbers.ts";
import { formatShare, formatValue } from "../../format.ts";

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
      <MixedIn config={config} />
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

interface FormulaProps {
  readonly objective: ObjectiveCard;
  readonly params: Readonly<Record<string, number>>;
  /** Stands before the keys of the method's knobs. */
  readonly prefix?: string;
}

function Formula({ objective, params, prefix = "" }: FormulaProps) {
  const values = knobValues(objective, params, prefix);
  return (
    <div className="formula">
      <code>{formulaOf(objective, params, prefix)}</code>
      {values.length > 0 && (
        <span className="formula-values">
          {values.map(({ label, text }) => (
            <span key={label}>
              {label} = {text}
            </span>
          ))}
        </span>
      )}
    </div>
  );
}

/** What is trained beside the method: the sum in words, and the second method's formula. */
function MixedIn({ config }: { readonly config: RunConfig }) {
  const description = useSetupStore((state) => state.description);
  const second = description?.objectives.find(({ id }) => id === config.secondMethod);
  const sum = mixLabel(config, description);
  if (second === undefined && config.sftWeight === 0 && config.methodWeight === 1) return null;
  return (
    <section aria-label="What is mixed in" data-testid="mixed-in">
      <p className="explain-sentence">
        The loss is <strong>{sum}</strong>
        {second === undefined ? "." : `, with ${second.label}:`}
      </p>
      {second !== undefined && <Formula objective={second} params={config.params} prefix={secondPrefix} />}
    </section>
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
