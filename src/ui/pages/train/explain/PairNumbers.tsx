import { usePointedPairStore } from "../../../../state/pointedPair.ts";
import { useRunStore } from "../../../../state/runStore.ts";
import { useViewStore } from "../../../../state/viewStore.ts";
import type { RunConfig } from "../../../../engine/training/config.ts";
import type { ObjectiveCard } from "../../../../worker/description.ts";
import { formatShare, formatValue } from "../../../format.ts";
import { formulaOf, knobValues, numbersOf, substituted, type FormulaNumbers } from "./formulaNumbers.ts";
import "./PairNumbers.css";

/** What the numbers belong to. */
export interface PairNumbersProps {
  readonly objective: ObjectiveCard;
  /** Configuration of the run that measured them. */
  readonly config: RunConfig;
}

/** The formula's numbers for the pair under the pointer, else for the pinned one, else their means. */
export function PairNumbers({ objective, config }: PairNumbersProps) {
  const pointed = usePointedPairStore((state) => state.pointedPair);
  const pinned = useViewStore((state) => state.selectedPair);
  const points = useRunStore((state) => state.points);
  const scores = useRunStore((state) => state.scores);
  if (points === null || scores === null) return null;
  const numbers = numbersOf(points, scores, pointed ?? pinned);
  const isMixed = config.secondMethod !== "" || config.sftWeight > 0 || config.methodWeight !== 1;
  return (
    <section className="pair-numbers" aria-label="The formula in numbers" data-testid="pair-numbers">
      <h3>{titleOf(numbers, pointed === null)}</h3>
      <Substitution {...{ objective, config, numbers, isMixed }} />
      <table>
        <thead>
          <tr>
            <th scope="col">
              <span className="chart-spoken">Number</span>
            </th>
            <th scope="col" className="pair-numbers-chosen">
              chosen
            </th>
            <th scope="col" className="pair-numbers-rejected">
              rejected
            </th>
          </tr>
        </thead>
        <tbody>
          <Row name="Δ(y)" chosen={numbers.chosenDelta} rejected={numbers.rejectedDelta} isSigned />
          <Row name="reward" chosen={numbers.chosenReward} rejected={numbers.rejectedReward} isSigned />
          <Row name="tokens" chosen={numbers.chosenTokens} rejected={numbers.rejectedTokens} />
        </tbody>
      </table>
      <dl>
        <Entry name="u" value={valueText(numbers.argument)} />
        <Entry
          name="pair weight σ(−u)"
          value={numbers.weight === null ? null : formatShare(numbers.weight)}
        />
        <Entry name={isMixed ? "loss of the mix" : "loss"} value={valueText(numbers.loss)} />
      </dl>
    </section>
  );
}

function titleOf({ pairIndex, pairs }: FormulaNumbers, isPinned: boolean): string {
  if (pairIndex === null) return pairs === 1 ? "The held-out pair" : `Means over ${pairs} held-out pairs`;
  return `Pair ${pairIndex + 1}${isPinned ? ", pinned" : ""}`;
}

/** The formula with the pair's numbers in it; means put into a formula would not give the mean loss. */
function Substitution({
  objective,
  config,
  numbers,
  isMixed,
}: PairNumbersProps & { readonly numbers: FormulaNumbers; readonly isMixed: boolean }) {
  if (numbers.pairIndex === null) return null;
  const formula = formulaOf(objective, config.params);
  const found = substituted(formula, numbers, knobValues(objective, config.params));
  if (found === null) return null;
  const { text, gives } = found;
  const results: Record<string, number | null> = {
    loss: isMixed ? null : numbers.loss,
    u: numbers.argument,
  };
  const result = results[gives] ?? null;
  return (
    <p className="pair-numbers-formula">
      <code>
        {gives === "loss" ? "" : `${gives} = `}
        {text}
        {result === null ? "" : ` = ${formatValue(result)}`}
      </code>
    </p>
  );
}

interface RowProps {
  readonly name: string;
  readonly chosen: number | null;
  readonly rejected: number | null;
  readonly isSigned?: boolean;
}

function Row({ name, chosen, rejected, isSigned = false }: RowProps) {
  if (chosen === null && rejected === null) return null;
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{valueText(chosen, isSigned) ?? "–"}</td>
      <td>{valueText(rejected, isSigned) ?? "–"}</td>
    </tr>
  );
}

function Entry({ name, value }: { readonly name: string; readonly value: string | null }) {
  if (value === null) return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function valueText(value: number | null, isSigned = false): string | null {
  if (value === null) return null;
  return `${isSigned && value > 0 ? "+" : ""}${formatValue(value)}`;
}
