import { Drawer } from "@mantine/core";
import { lazy, Suspense, type ReactNode } from "react";
import { useSetupStore } from "../../../state/setupStore.ts";
import { openLayer, useViewStore } from "../../../state/viewStore.ts";
import { Icon, type IconName } from "../../components/Icon.tsx";
import { MessageAlerts } from "../../components/MessageAlerts.tsx";
import { Panel } from "../../components/Panel.tsx";
import { useViewport, type Viewport } from "../../components/useViewport.ts";
import { formatSetting } from "../../format.ts";
import { tagline } from "../../text.ts";
import { CommandBar, PhoneCommandBar } from "./CommandBar.tsx";
import { knobValues } from "./explain/formulaNumbers.ts";
import { ExplainPanel } from "./ExplainPanel.tsx";
import { JudgementNotice } from "./JudgementNotice.tsx";
import { LogPanel } from "./LogPanel.tsx";
import { MethodFold } from "./setup/MethodCards.tsx";
import { SetupPanel } from "./SetupPanel.tsx";
import { PlotControls, StatusBar } from "./StatusBar.tsx";

const live = () => import("./LivePanels.tsx");
const Hero = lazy(() => import("./HeroPanel.tsx").then(({ HeroPanel }) => ({ default: HeroPanel })));
const MainCharts = lazy(() => live().then(({ MainChartsPanel }) => ({ default: MainChartsPanel })));
const MoreCharts = lazy(() => live().then(({ MoreChartsPanel }) => ({ default: MoreChartsPanel })));
const ChartTabs = lazy(() => live().then(({ ChartTabsPanel }) => ({ default: ChartTabsPanel })));
const MovingFeatures = lazy(() =>
  import("./MovingFeatures.tsx").then(({ MovingFeaturesPanel }) => ({ default: MovingFeaturesPanel })),
);
const Samples = lazy(() => live().then(({ LiveSamplesPanel }) => ({ default: LiveSamplesPanel })));

/** The Train screen in the layout of the window's width. */
export function TrainPage() {
  const viewport = useViewport();
  const layouts: Record<Viewport, () => ReactNode> = {
    wide: WideLayout,
    medium: MediumLayout,
    narrow: NarrowLayout,
    phone: PhoneLayout,
  };
  const Layout = layouts[viewport];
  return <Layout />;
}

function WideLayout() {
  return (
    <>
      <div className="train train-wide">
        <aside className="column column-setup" aria-label="Setup">
          <SetupPanel />
        </aside>
        <Live>
          <HeroGrid />
          <Slot height={220}>
            <MoreCharts />
          </Slot>
          <MovingSlot />
        </Live>
        <aside className="column column-explain" aria-label="Samples and explanation">
          <SamplesSlot />
          <ExplainSlot />
        </aside>
      </div>
      <LogDock />
      <StatusBar />
    </>
  );
}

function MediumLayout() {
  return (
    <>
      <div className="train train-medium">
        <aside className="column column-setup" aria-label="Setup">
          <SetupPanel />
        </aside>
        <Live>
          <SheetButtons isSetupHidden={false} />
          <HeroGrid />
          <SamplesSlot />
          <Slot height={220}>
            <MoreCharts />
          </Slot>
          <MovingSlot />
        </Live>
      </div>
      <LogDock />
      <StatusBar />
      <Sheets />
    </>
  );
}

function NarrowLayout() {
  return (
    <>
      <div className="train train-narrow">
        <Live>
          <SheetButtons isSetupHidden />
          <HeroGrid />
          <SamplesSlot />
          <Slot height={220}>
            <MoreCharts />
          </Slot>
          <MovingSlot />
        </Live>
      </div>
      <LogDock />
      <StatusBar />
      <Sheets />
    </>
  );
}

function PhoneLayout() {
  const isLogOpen = useViewStore((state) => state.isLogOpen);
  return (
    <>
      <main className="train train-phone" id="live" tabIndex={-1}>
        <p className="tagline">{tagline.join(" ")}</p>
        <MethodFold />
        <MessageAlerts />
        <JudgementNotice />
        <Slot height={380}>
          <Hero />
        </Slot>
        <SamplesSlot />
        <Slot height={320}>
          <ChartTabs />
        </Slot>
        <MovingSlot />
        <SheetButtons isSetupHidden />
        <details className="panel plot-fold">
          <summary>Plots and log</summary>
          <PlotControls />
        </details>
        {isLogOpen && <LogPanel />}
      </main>
      <PhoneCommandBar />
      <Sheets />
    </>
  );
}

function Live({ children }: { readonly children: ReactNode }) {
  return (
    <main className="column column-live" id="live" tabIndex={-1} aria-label="Run">
      <CommandBar />
      <MessageAlerts />
      <JudgementNotice />
      {children}
    </main>
  );
}

function HeroGrid() {
  return (
    <div className="hero-grid">
      <Slot height={460}>
        <Hero />
      </Slot>
      <Slot height={460}>
        <MainCharts />
      </Slot>
    </div>
  );
}

function ExplainSlot() {
  const method = useMethodLabel();
  return (
    <Panel title={`Explain: ${method}`}>
      <ExplainPanel />
    </Panel>
  );
}

function SamplesSlot() {
  return (
    <Slot height={260}>
      <Samples />
    </Slot>
  );
}

function MovingSlot() {
  return (
    <Slot height={76}>
      <MovingFeatures />
    </Slot>
  );
}

function LogDock() {
  const isLogOpen = useViewStore((state) => state.isLogOpen);
  return (
    isLogOpen && (
      <div className="log-dock">
        <LogPanel />
      </div>
    )
  );
}

/** Keeps the place of a panel whose code is still on its way, so that nothing jumps. */
function Slot({ height, children }: { readonly height: number; readonly children: ReactNode }) {
  return (
    <Suspense fallback={<div className="slot-waiting" style={{ minHeight: height }} aria-busy="true" />}>
      {children}
    </Suspense>
  );
}

function SheetButtons({ isSetupHidden }: { readonly isSetupHidden: boolean }) {
  const { config, description } = useSetupStore();
  const method = useMethodLabel();
  const objective = description?.objectives.find(({ id }) => id === config.method);
  const knobs = knobValues(objective ?? { parameters: [] }, config.params).map(
    ({ label, text }) => `${label} ${text}`,
  );
  const mixed = config.secondMethod === "" && config.sftWeight === 0 ? [] : ["mixed"];
  const summary = [
    ...knobs,
    ...mixed,
    `lr ${formatSetting(config.learningRate)}`,
    `${config.steps} steps`,
  ].join(" · ");
  return (
    <div className="sheet-buttons">
      {isSetupHidden && <SheetButton layer="settings" icon="settings" name="Settings" summary={summary} />}
      <SheetButton layer="explain" icon="book" name="Explain" summary={method} />
    </div>
  );
}

interface SheetButtonProps {
  readonly layer: "settings" | "explain";
  readonly icon: IconName;
  readonly name: string;
  readonly summary: string;
}

function SheetButton({ layer, icon, name, summary }: SheetButtonProps) {
  return (
    <button
      type="button"
      className="sheet-button"
      data-testid={`open-${layer}`}
      onClick={() => {
        openLayer(layer);
      }}
    >
      <Icon name={icon} />
      <span>
        <strong>{name}</strong> {summary}
      </span>
    </button>
  );
}

function Sheets() {
  const layer = useViewStore((state) => state.layer);
  const viewport = useViewport();
  const isPhone = viewport === "phone";
  const method = useMethodLabel();
  return (
    <>
      <Drawer
        opened={layer === "settings"}
        onClose={closeLayer}
        title="Settings"
        position={isPhone ? "bottom" : "left"}
        size={isPhone ? "88%" : 340}
        closeButtonProps={{ "aria-label": "Close the settings" }}
      >
        <SetupPanel />
      </Drawer>
      <Drawer
        opened={layer === "explain"}
        onClose={closeLayer}
        title={`Explain: ${method}`}
        position={isPhone ? "bottom" : "right"}
        size={isPhone ? "80%" : 380}
        closeButtonProps={{ "aria-label": "Close the explanation" }}
      >
        <ExplainPanel />
      </Drawer>
    </>
  );
}

function closeLayer(): void {
  openLayer(null);
}

function useMethodLabel(): string {
  return useSetupStore(
    ({ description, config }) => description?.objectives.find(({ id }) => id === config.method)?.label ?? "",
  );
}
