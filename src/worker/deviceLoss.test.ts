import { expect, it, vi } from "vitest";
import type { Device } from "../engine/tensor/device.ts";
import { DeviceLostError } from "../engine/tensor/errors.ts";
import { openStudio } from "./tinyStudio.testing.ts";

/** How the device of each `open` is lost, in order. */
const losses: (() => void)[] = [];

vi.mock(import("../engine/tensor/device.ts"), async (original) => {
  const { openDevice } = await original();
  return {
    openDevice: async (options): Promise<Device> => {
      const lost = new Promise<DeviceLostError>((resolve) => {
        losses.push(() => {
          resolve(new DeviceLostError("unknown: driver reset"));
        });
      });
      return { ...(await openDevice(options)), lost };
    },
  };
});

it("tells that its device was lost, and nothing of one that it has closed", async () => {
  const { session, events, heard } = openStudio();
  const question = { backend: "cpu" as const, isSecure: true, injections: [] };
  await session.open(question);
  await session.open(question);
  losses[0]?.();
  await new Promise((resolve) => setTimeout(resolve));
  expect(events).toEqual([]);
  losses[1]?.();
  await heard((event): event is (typeof events)[number] => event.type === "deviceLost");
  expect(events).toEqual([{ type: "deviceLost", reason: "the device was lost (unknown: driver reset)" }]);
});
