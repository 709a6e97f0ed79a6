import { heldMode } from "../../../../state/heldSet.ts";
import { setupProblems, useSetupStore } from "../../../../state/setupStore.ts";
import type { ObjectiveCard } from "../../../../worker/description.ts";
import { Icon } from "../../../components/Icon.tsx";
import { needsInWords } from "./methodGroups.ts";
import { HeldFeatures } from "./HeldFeatures.tsx";
import { SaeChoice } from "./SaeChoice.tsx";
import { KnobSetting } from "./KnobSetting.tsx";
import { MethodChoice } from "./MethodChoice.tsx";

/** Cards of every method that the trainer offers, and what there is to know and to set of the chosen one. */
export function MethodCards() {
  return (
    <>
      <MethodChoice />
      <ChosenMethod />
    </>
  );
}

/** The method in one line that opens to the cards, as a phone shows it above the Pair Map. */
export function MethodFold() {
  const { description, config } = useSetupStore();
  const objective = description?.objectives.find(({ id }) => id === config.method);
  return (
    <details className="panel method-fold">
      <summary>
        <strong>{objective?.label ?? "Method"}</strong> <span className="note">{objective?.sentence}</span>
        <Icon name="chevron" size={14} />
      </summary>
      <MethodChoice />
    </details>
  );
}

function ChosenMethod() {
  const setup = useSetupStore();
  const objective = setup.description?.objectives.find(({ id }) => id === setup.config.method);
  const problem = setupProblems(setup).find(({ field }) => field === "method")?.message;
  if (objective === undefined) return null;
  return (
    <>
      <p className="method-sentence">{objective.sentence}</p>
      {problem !== undefined && <p className="setting-problem">{problem}</p>}
      {objective.parameters.map((spec) => (
        <KnobSetting key={`${objective.id} ${spec.key}`} paramKey={spec.key} spec={spec} />
      ))}
      {objective.needs.includes("features") && <SaeChoice />}
      {setup.config.params["featureMode"] === heldMode && <HeldFeatures />}
      <MethodFacts objective={objective} />
    </>
  );
}

function MethodFacts({ objective }: { readonly objective: ObjectiveCard }) {
  const preflight = useSetupStore((state) => state.preflight);
  const { reference, data: fromData } = needsInWords(objective, preflight);
  return (
    <>
      <p className="note" data-testid="method-needs">
        Needs of the reference: {reference}.{fromData !== null && ` Needs besides: ${fromData}.`}
      </p>
      <details className="method-signs">
        <summary>What to watch</summary>
        <dl>
          <dt>Watch</dt>
          <dd>{objective.watch}</dd>
          <dt>Healthy</dt>
          <dd>{objective.healthy}</dd>
          <dt>Trouble</dt>
          <dd>{objective.trouble}</dd>
        </dl>
        <a href={objective.paper.url} target="_blank" rel="noreferrer">
          {objective.paper.title} <Icon name="external" size={12} />
        </a>
      </details>
    </>
  );
}
