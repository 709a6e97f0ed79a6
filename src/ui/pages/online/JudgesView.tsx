import { useEffect } from "react";
import { ensureJudges, judgeList } from "../../../state/judges.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import { Refusal } from "../../components/Refusal.tsx";
import { JudgeEndpointPanel } from "./JudgeEndpointPanel.tsx";
import { JudgeForm } from "./JudgeForm.tsx";
import { JudgesInUse, JudgeKeptAside } from "./JudgesInUse.tsx";
import { JudgeTrial } from "./JudgeTrial.tsx";
import { RewardModelForm } from "./RewardModelForm.tsx";
import { RewardModels } from "./RewardModels.tsx";
import "./judges.css";

/** The tab: who judges, and who is kept aside. */
export function JudgesView() {
  const loaded = useSetupStore((state) => state.loaded);
  const refusal = judgeList.useStore((state) => state.refusal);
  useEffect(ensureJudges, [loaded]);
  return (
    <div className="judges" aria-label="Judges" role="group">
      <Refusal title="The judges could not be listed." reason={refusal} />
      <div className="judges-columns">
        <div className="judges-column">
          <JudgesInUse />
          <JudgeKeptAside />
          <JudgeForm />
        </div>
        <div className="judges-column">
          <JudgeTrial />
          <JudgeEndpointPanel />
        </div>
      </div>
      <RewardModels />
      <RewardModelForm />
    </div>
  );
}
