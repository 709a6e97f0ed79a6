import { Button } from "@mantine/core";
import { useEffect } from "react";
import { dataHealth } from "../../../state/dataAnswers.ts";
import { everyRow, filterRows } from "../../../state/dataRows.ts";
import { addStep, isDropped, putBack } from "../../../state/dataSteps.ts";
import { openTab } from "../../../state/navigation.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import type { DataHealth, HealthFinding } from "../../../worker/protocol.ts";
import { Icon } from "../../components/Icon.tsx";
import { Panel } from "../../components/Panel.tsx";
import { Refusal } from "../../components/Refusal.tsx";
import { formatCount } from "../../format.ts";
import { LengthHistogram } from "./LengthHistogram.tsx";
import { checkNames } from "./stepSentence.ts";
import { useLoadedData } from "./useLoadedData.ts";

/** What may be wrong with the set, each finding with its remedy; nothing is left out unasked. */
export function HealthView() {
  const { key } = useLoadedData();
  const { answer, refusal, isAsking } = dataHealth.useStore();
  useEffect(() => {
    if (key !== null) dataHealth.ensure(key, null);
  }, [key]);
  if (key === null)
    return <p className="panel data-waiting">Choose a set under Sources: its health is shown here.</p>;
  return (
    <div className="health" aria-busy={isAsking}>
      <Panel title="Findings" aside={answer !== null && <LeaveAllOut findings={answer.findings} />}>
        <Refusal
          title="The set could not be checked."
          reason={refusal}
          onRetry={() => void dataHealth.ask(null)}
        />
        {answer === null && refusal === null && (
          <p className="note">Comparing every pair with every other…</p>
        )}
        {answer !== null && <Findings health={answer} />}
        <LeftOut />
      </Panel>
      {answer !== null && <LengthHistogram health={answer} />}
    </div>
  );
}

function Findings({ health: { findings } }: { readonly health: DataHealth }) {
  if (findings.length === 0) {
    return (
      <p className="all-clear" data-testid="all-clear">
        <Icon name="check" /> All clear: nothing was found in {formatCount(Object.keys(checkNames).length)}{" "}
        checks.
      </p>
    );
  }
  return (
    <ul className="findings">
      {findings.map((finding) => (
        <Finding key={finding.check} finding={finding} />
      ))}
    </ul>
  );
}

function Finding({ finding: { check, count, sentence, isFixable } }: { readonly finding: HealthFinding }) {
  const name = checkNames[check];
  const show = () => {
    filterRows({ ...everyRow, flag: check });
    openTab("data", "pairs");
  };
  return (
    <li className="finding" data-testid={`finding-${check}`}>
      <div>
        <h3>
          {name} <span className="finding-count">{formatCount(count)}</span>
        </h3>
        <p>{sentence}</p>
      </div>
      <div className="panel-actions">
        <Button size="xs" variant="default" aria-label={`Show rows: ${name}`} onClick={show}>
          Show rows
        </Button>
        {isFixable && (
          <Button
            size="xs"
            variant="default"
            aria-label={`Leave them out: ${name}`}
            data-testid={`leave-out-${check}`}
            onClick={() => addStep({ kind: "drop", check })}
          >
            Leave them out
          </Button>
        )}
      </div>
    </li>
  );
}

/** One button for every finding that leaving rows out would mend. */
function LeaveAllOut({ findings }: { readonly findings: readonly HealthFinding[] }) {
  const steps = useSetupStore(({ config }) => config.dataSteps);
  const fixable = findings.filter(({ check, isFixable }) => isFixable && !isDropped(steps, check));
  if (fixable.length < 2) return null;
  return (
    <Button
      size="xs"
      variant="default"
      onClick={() => {
        for (const { check } of fixable) addStep({ kind: "drop", check });
      }}
    >
      Leave all of them out
    </Button>
  );
}

/** What was left out at somebody's wish, and the way back. */
function LeftOut() {
  const steps = useSetupStore(({ config }) => config.dataSteps);
  const dropped = steps.flatMap((step) => (step.kind === "drop" ? [step.check] : []));
  if (dropped.length === 0) return null;
  return (
    <ul className="left-out" aria-label="Left out">
      {dropped.map((check) => (
        <li key={check}>
          Left out: {checkNames[check]}.{" "}
          <button type="button" className="link-button" onClick={() => putBack(check)}>
            Put them back
          </button>
        </li>
      ))}
    </ul>
  );
}
