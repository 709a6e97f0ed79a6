/** What the trainer runs on, as it reported itself. */
import { create } from "zustand";
import type { BackendReport } from "../worker/protocol.ts";

interface DeviceState {
  /** Null while the device is being opened. */
  readonly report: BackendReport | null;
}

/** The device of the present trainer. */
export const useDeviceStore = create<DeviceState>(() => ({ report: null }));
