import { Button, SegmentedControl, Slider } from "@mantine/core";
import { useMessageStore } from "../../../state/messageStore.ts";
import { useRunStore } from "../../../state/runStore.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import { useViewStore } from "../../../state/viewStore.ts";
import { Icon } from "../../components/Icon.tsx";
import { formatBytes, formatCount } from "../../format.ts";

/** The bottom line: what the worker holds, and how the plots are drawn. */
export function StatusBar() {
  return (
    <footer className="status-bar">
      <StatusText />
      <PlotControls />
    </footer>
  );
}

function StatusText() {
  const model = useSetupStore((state) => state.model);
  const checkpoint = useRunStore((state) => state.checkpoint);
  const stepBytes = useRunStore((state) => state.room?.bytes ?? 0);
  const alerts = useMessageStore((state) => state.messages.length);
  const parts = [
    model === null ? "No model is loaded yet" : `${model.label}, ${formatCount(model.parameters)} parameters`,
    ...(stepBytes === 0 ? [] : [`a step holds ${formatBytes(stepBytes)}`]),
    ...(checkpoint === null ? [] : [`step ${checkpoint.step} is safe`]),
    ...(alerts === 0 ? [] : [alerts === 1 ? "1 message" : `${alerts} messages`]),
  ];
  return <p className="status-text">{parts.join(" · ")}</p>;
}

/** What the horizontal axis counts, scale, smoothing, pause of drawing, and the log. */
export function PlotControls() {
  const { axis, scale, smoothing, isDrawingPaused, isLogOpen } = useViewStore();
  return (
    <div className="plot-controls">
      <SegmentedControl
        size="xs"
        aria-label="Horizontal axis"
        data={[
          { value: "steps", label: "Steps" },
          { value: "seconds", label: "Seconds" },
        ]}
        value={axis}
        onChange={(value) => {
          useViewStore.setState({
            axis: value === "seconds" ? "seconds" : "steps",
            hoveredX: null,
            zoom: null,
          });
        }}
      />
      <SegmentedControl
        size="xs"
        aria-label="Scale of signed metrics"
        data={[
          { value: "symlog", label: "Symlog" },
          { value: "linear", label: "Linear" },
        ]}
        value={scale}
        onChange={(value) => {
          useViewStore.setState({ scale: value === "linear" ? "linear" : "symlog" });
        }}
      />
      <div className="smoothing">
        <span id="smoothing-label">Smooth {smoothing.toFixed(2)}</span>
        <Slider
          size={3}
          thumbSize={24}
          w={96}
          label={null}
          thumbLabel="Smoothing"
          min={0}
          max={0.99}
          step={0.01}
          value={smoothing}
          onChange={(value) => {
            useViewStore.setState({ smoothing: value });
          }}
        />
      </div>
      <Button
        size="compact-xs"
        variant={isDrawingPaused ? "filled" : "default"}
        aria-pressed={isDrawingPaused}
        leftSection={<Icon name={isDrawingPaused ? "play" : "pause"} size={12} />}
        onClick={() => {
          useViewStore.setState({ isDrawingPaused: !isDrawingPaused });
        }}
      >
        {isDrawingPaused ? "Draw again" : "Pause drawing"}
      </Button>
      <Button
        size="compact-xs"
        variant="default"
        aria-expanded={isLogOpen}
        data-testid="log-button"
        onClick={() => {
          useViewStore.setState({ isLogOpen: !isLogOpen });
        }}
      >
        Log
      </Button>
    </div>
  );
}
