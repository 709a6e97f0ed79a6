import { Button } from "@mantine/core";
import { removeStep, undoStep } from "../../../state/dataSteps.ts";
import { useMessageStore } from "../../../state/messageStore.ts";
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
  const { data, isLoading, isOutdated } = useLoadedData();
  // What the trainer did, as long as it has done these very steps.
  const isDone = !isLoading && !isOutdated && data?.steps.length === steps.length;
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
            Nothing: the set is trained as it was read. Only rows that no loss can read, such as empty or
            identical answers, are left out, and named.
          </p>
        ) : (
          <ol className="step-list">
            {steps.map((step, place) => {
              const sentence = stepSentence(step, description);
              return (
                <li key={`${place} ${sentence}`} data-testid={`step-${place}`}>
                  <span>
                    {sentence}
                    {isDone && (
                      <span className="note step-done">
                        {data.steps[place]?.sentence} Training pairs then:{" "}
                        {formatCount(data.steps[place]?.trainPairs ?? 0)}.
                      </span>
                    )}
                  </span>
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
  const { data, isLoading, isWaiting, isOutdated } = useLoadedData();
  const steps = useSetupStore(({ config }) => config.dataSteps);
  const isRefused = useMessageStore(({ messages }) => messages.length > 0) && isOutdated;
  if (data === null || isWaiting) return null;
  if (isRefused && steps.length > 0) {
    return (
      <p className="note" role="status" data-testid="step-refused">
        The set was not read with these changes; the message above says why. Remove the one that it is about,
        or{" "}
        <button type="button" className="link-button" onClick={undoStep}>
          undo the last
        </button>
        .
      </p>
    );
  }
  if (isLoading || isOutdated) return <p className="note">Reading the set with its changes…</p>;
  const before = steps.length === 0 ? "" : `${formatCount(data.readPairs)} pairs before; now `;
  return (
    <p className="note" role="status" data-testid="step-outcome">
      {before}
      {formatCount(data.trainPairs)} training pairs and {formatCount(data.heldoutPairs)} held out.
    </p>
  );
}
