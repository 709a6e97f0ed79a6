import { Button } from "@mantine/core";
import { untouchedKey, useCountsStore } from "../../../state/dataAnswers.ts";
import { removeStep, undoStep } from "../../../state/dataSteps.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import { Icon } from "../../components/Icon.tsx";
import { Panel } from "../../components/Panel.tsx";
import { formatCount } from "../../format.ts";
import { StepForms } from "./StepForms.tsx";
import { stepSentence } from "./stepSentence.ts";
import { useLoadedData } from "./useLoadedData.ts";

/** What is done to the set before it is trained, in order, and what else can be. */
export function StepsView() {
  const steps = useSetupStore(({ config }) => config.dataSteps);
  const description = useSetupStore((state) => state.description);
  return (
    <div className="steps-view">
      <Panel
        title="What is done to the set"
        aside={
          steps.length > 0 && (
            <Button
              size="xs"
              variant="default"
              leftSection={<Icon name="reset" size={14} />}
              onClick={undoStep}
            >
              Undo the last
            </Button>
          )
        }
      >
        {steps.length === 0 ? (
          <p className="note" data-testid="no-steps">
            Nothing: the set is trained as it comes. Nothing is ever left out or changed unasked.
          </p>
        ) : (
          <ol className="step-list">
            {steps.map((step, place) => {
              const sentence = stepSentence(step, description);
              return (
                <li key={`${place} ${sentence}`} data-testid={`step-${place}`}>
                  <span>{sentence}</span>
                  <button
                    type="button"
                    className="link-button"
                    aria-label={`Remove: ${sentence}`}
                    onClick={() => removeStep(place)}
                  >
                    Remove
                  </button>
                </li>
              );
            })}
          </ol>
        )}
        <Outcome />
      </Panel>
      <StepForms />
    </div>
  );
}

function Outcome() {
  const { data, isLoading, isWaiting } = useLoadedData();
  const config = useSetupStore((state) => state.config);
  const before = useCountsStore(({ byKey }) => byKey[untouchedKey(config)]);
  if (data === null || isWaiting) return null;
  if (isLoading) return <p className="note">Reading the set with its changes…</p>;
  const after = `${formatCount(data.trainPairs)} training pairs and ${formatCount(data.heldoutPairs)} held out`;
  const isChanged = config.dataSteps.length > 0;
  const from =
    isChanged && before !== undefined
      ? `${formatCount(before.train)} and ${formatCount(before.heldout)} before; now `
      : "";
  return (
    <p className="note" role="status" data-testid="step-outcome">
      {from}
      {after}.
    </p>
  );
}
