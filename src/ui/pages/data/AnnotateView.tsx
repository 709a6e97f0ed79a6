import { Button } from "@mantine/core";
import {
  dropRound,
  savePairs,
  takePairs,
  undoVerdict,
  useAnnotationStore,
} from "../../../state/annotation.ts";
import { nextItem, pairsOf, type Round } from "../../../state/annotationRules.ts";
import { Icon } from "../../components/Icon.tsx";
import { Panel } from "../../components/Panel.tsx";
import { formatCount } from "../../format.ts";
import { BlindChoice } from "./BlindChoice.tsx";
import { JudgedPairsView } from "./JudgedPairsView.tsx";
import { SamplingForm } from "./SamplingForm.tsx";
import { useVerdictKeys } from "./useVerdictKeys.ts";

/** Pairs from the model's own answers: a person chooses blindly, or judges score them. */
export function AnnotateView() {
  const { round, judged } = useAnnotationStore();
  if (round !== null) return <Decisions round={round} />;
  return judged === null ? <SamplingForm /> : <JudgedPairsView judged={judged} />;
}

function Decisions({ round }: { readonly round: Round }) {
  useVerdictKeys();
  const place = nextItem(round);
  return (
    <div className="annotate">
      <Progress round={round} />
      {place === null ? <Over round={round} /> : <BlindChoice key={place} item={round.items[place]!} />}
    </div>
  );
}

function Progress({ round }: { readonly round: Round }) {
  const { items, order, verdicts, same } = round;
  const pairs = pairsOf(round).length;
  const without = verdicts.filter((verdict) => verdict === "tie" || verdict === "bad").length;
  return (
    <section className="panel annotate-progress" aria-label="Progress">
      <progress max={items.length} value={order.length} aria-label="Decided" />
      <p data-testid="annotate-progress">
        {`${formatCount(order.length)} of ${formatCount(items.length)} decided · ${formatCount(pairs)} ${pairs === 1 ? "pair" : "pairs"}`}
        {without > 0 && ` · ${formatCount(without)} without a pair`}
        {same > 0 && ` · ${formatCount(same)} left out: both answers were the same`}
      </p>
      <div className="panel-actions">
        <Button size="xs" variant="default" disabled={order.length === 0} onClick={undoVerdict}>
          Undo <kbd>u</kbd>
        </Button>
        <Button size="xs" variant="default" disabled={pairs === 0} onClick={savePairs}>
          Export JSONL
        </Button>
        <Button
          size="xs"
          variant={order.length === items.length ? "filled" : "default"}
          data-testid="use-pairs"
          disabled={pairs === 0}
          onClick={() => void takePairs()}
        >
          Use {pairs === 1 ? "this pair" : `these ${formatCount(pairs)} pairs`}
        </Button>
        <Button size="xs" variant="subtle" onClick={dropRound}>
          Start over
        </Button>
      </div>
    </section>
  );
}

function Over({ round }: { readonly round: Round }) {
  const pairs = pairsOf(round).length;
  return (
    <Panel title={round.items.length === 0 ? "Nothing to choose" : "All decided"}>
      <p className="all-clear" role="status">
        <Icon name={pairs > 0 ? "check" : "info"} />
        {overSentence(round, pairs)}
      </p>
    </Panel>
  );
}

function overSentence({ items }: Round, pairs: number): string {
  if (items.length === 0)
    return "Both answers were the same to every prompt. Start over with a higher temperature.";
  if (pairs === 0) return "No choice made a pair. Undo one, or start over.";
  return `${formatCount(pairs)} ${pairs === 1 ? "pair" : "pairs"} made. Use them as the preference set, or export them.`;
}
