import type { ReactNode } from "react";
import { usePlaceStore, type OnlineTab } from "../../../state/place.ts";
import { MessageAlerts } from "../../components/MessageAlerts.tsx";
import { ScreenTabs } from "../../components/ScreenTabs.tsx";
import { JudgementPanel } from "./JudgementPanel.tsx";
import { JudgesView } from "./JudgesView.tsx";
import { PromptsView } from "./PromptsView.tsx";
import { RoundsView } from "./RoundsView.tsx";
import "../../charts/charts.css";
import "./online.css";

const tabNames: Record<OnlineTab, string> = { rounds: "Rounds", prompts: "Prompts", judges: "Judges" };

const views: Record<OnlineTab, () => ReactNode> = {
  rounds: () => <RoundsView />,
  prompts: () => <PromptsView />,
  judges: () => <JudgesView />,
};

/** The Online screen: rounds of drawing, judging, choosing and training, what became of every prompt, and who judges. */
export function OnlinePage() {
  const tab = usePlaceStore((place) => place.tabs.online);
  return (
    <main className="online" id="live" tabIndex={-1} aria-label="Online">
      <MessageAlerts />
      <JudgementPanel />
      <ScreenTabs screen="online" label="Online" tab={tab} names={tabNames} />
      <div role="tabpanel" id="online-panel" aria-labelledby={`online-tab-${tab}`}>
        {views[tab]()}
      </div>
    </main>
  );
}
