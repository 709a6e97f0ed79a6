import { judgeKeptAside } from "../../../state/judges.ts";
import { useRunStore } from "../../../state/runStore.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import { CostPanel } from "./CostPanel.tsx";
import { FailureAlert } from "./FailureAlert.tsx";
import { waitsForJudges } from "./failureList.ts";
import { GapPanel } from "./GapPanel.tsx";
import { JudgeCharts } from "./JudgeCharts.tsx";
import { LoopIntroduction } from "./LoopIntroduction.tsx";
import { LoopPanel } from "./LoopPanel.tsx";
import { OnlineSetup } from "./OnlineSetup.tsx";
import { PartingPanel } from "./PartingPanel.tsx";
import { RoundsTable } from "./RoundsTable.tsx";
import { useOnlineRun } from "./useOnlineRun.ts";

/** The tab: the loop as it runs, what its rounds cost, and what came of them. */
export function RoundsView() {
  const { rounds, onlineEvaluations: evaluations, config, hasBegun } = useOnlineRun();
  const description = useSetupStore((state) => state.description);
  const isWaiting = useRunStore(waitsForJudges);
  const newest = rounds.at(-1);
  return (
    <div className="rounds">
      {config.rounds === 0 ? <LoopIntroduction /> : <LoopPanel />}
      {isWaiting && newest !== undefined && <FailureAlert record={newest} />}
      {!hasBegun && <OnlineSetup />}
      <div className="online-row online-thirds">
        {newest !== undefined && <CostPanel rounds={rounds} />}
        {evaluations.length > 0 && <JudgeCharts evaluations={evaluations} />}
      </div>
      {evaluations.length > 0 && (
        <PartingPanel
          evaluations={evaluations}
          rounds={config.rounds}
          isKeptAside={judgeKeptAside({ config, description }) !== null}
        />
      )}
      {newest !== undefined && (
        <div className="online-row online-gaps">
          <GapPanel rounds={rounds} config={config} />
          <RoundsTable rounds={rounds} evaluations={evaluations} />
        </div>
      )}
      {hasBegun && <OnlineSetup />}
    </div>
  );
}
