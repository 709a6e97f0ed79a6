import { Modal } from "@mantine/core";
import { useDeviceStore } from "../../state/deviceStore.ts";
import { openLayer, useViewStore } from "../../state/viewStore.ts";
import type { BackendReport } from "../../worker/protocol.ts";
import { formatBytes } from "../format.ts";
import { gpuHelp } from "../text.ts";
import { CopyButton } from "./CopyButton.tsx";

/** What the trainer computes on, in one line. */
export function deviceLine(report: BackendReport): string {
  const precision = report.hasShaderF16 ? "f32 · f16 shaders" : "f32";
  if (report.backend === "cpu") return `CPU · f32`;
  return `${report.label} · ${precision} · ${formatBytes(report.maxBufferBytes)}/buffer`;
}

/** The whole report as text that can be pasted into a bug report. */
export function deviceReportText(report: BackendReport): string {
  const rows = Object.entries(reportRows(report)).map(([name, value]) => `${name}: ${value}`);
  return ["Prefscope device report", ...rows, `browser: ${navigator.userAgent}`].join("\n");
}

function reportRows(report: BackendReport): Record<string, string> {
  return {
    backend: report.backend,
    device: report.label,
    "software GPU": report.isSoftware ? "yes" : "no",
    "16-bit shaders": report.hasShaderF16 ? "yes" : "no",
    ...(report.backend === "webgpu" ? { "largest buffer": formatBytes(report.maxBufferBytes) } : {}),
    ...(report.reason === null ? {} : { "why no GPU": report.reason }),
    ...report.details,
  };
}

/** Says what the trainer computes on, and opens the report. */
export function CapabilityChip({ isShort }: { readonly isShort: boolean }) {
  const report = useDeviceStore((state) => state.report);
  if (report === null) return <span className="chip">Waking the device…</span>;
  const isSlow = report.backend === "cpu" || report.isSoftware;
  const short = report.backend === "cpu" ? "CPU" : report.isSoftware ? "Software GPU" : "GPU";
  return (
    <button
      type="button"
      className="chip chip-button"
      data-testid="capability-chip"
      onClick={() => {
        openLayer("device");
      }}
    >
      <span className={isSlow ? "chip-mark chip-mark-slow" : "chip-mark"} aria-hidden="true" />
      <span className="chip-text">{isShort ? short : deviceLine(report)}</span>
      {report.isSoftware && !isShort && <span className="chip-note"> software</span>}
      <span className="visually-hidden">. Open the device report.</span>
    </button>
  );
}

/** The copyable report of the device. */
export function DeviceDialog() {
  const isOpen = useViewStore((state) => state.layer === "device");
  const report = useDeviceStore((state) => state.report);
  return (
    <Modal
      opened={isOpen}
      onClose={() => {
        openLayer(null);
      }}
      title="Device"
      size="lg"
    >
      {report === null ? (
        <p>The device is still being opened.</p>
      ) : (
        <>
          <dl className="report">
            {Object.entries(reportRows(report)).map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
          <div className="dialog-actions">
            <CopyButton text={deviceReportText(report)} label="Copy report" />
          </div>
          {report.backend === "cpu" && (
            <>
              <h3>How to get the GPU</h3>
              <ul className="plain-list">
                {gpuHelp.map((line) => (
                  <li key={line}>{line}</li>
                ))}
              </ul>
            </>
          )}
        </>
      )}
    </Modal>
  );
}
