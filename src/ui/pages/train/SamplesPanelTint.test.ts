import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { deltaInWords, tokenTint } from "./SamplesPanelTint.ts";

test("the tint grows with the change in either direction", () => {
  expect([-5, -0.5, -0.05, 0, 0.2, 1.5].map(tokenTint)).toEqual([
    { direction: "down", level: 4 },
    { direction: "down", level: 2 },
    { direction: "none", level: 0 },
    { direction: "none", level: 0 },
    { direction: "up", level: 1 },
    { direction: "up", level: 3 },
  ]);
  expect(tokenTint(Number.NaN)).toEqual({ direction: "none", level: 0 });
});

test("a change is told in nats and as a factor", () => {
  expect(deltaInWords(Math.log(3))).toBe("+1.10 nats: 3.0× likelier than before");
  expect(deltaInWords(-Math.log(20))).toBe("−3.00 nats: 20× less likely than before");
  expect(deltaInWords(0)).toBe("0.00 nats: as likely as before");
  expect(deltaInWords(99)).toBe("+99.00 nats: over 10,000× likelier than before");
});

const file = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");

/** The tokens of the two colour schemes, as they are written. */
function schemes(): Record<string, string>[] {
  const [light = "", dark = ""] = file("../../styles/tokens.css").split("[data-mantine-color-scheme");
  return [light, dark].map((text) =>
    Object.fromEntries([...text.matchAll(/--([\w-]+): (#\w{6})/g)].map(([, name, hex]) => [name, hex])),
  );
}

const channels = (hex: string) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);

function luminance(color: readonly number[]): number {
  const [red = 0, green = 0, blue = 0] = color.map((value) =>
    value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

test("the strongest tint keeps its text at a contrast of at least 4.5 in both schemes", () => {
  const shares = [...file("./SamplesPanel.css").matchAll(/--tint: (\d+)%/g)].map(([, share]) =>
    Number(share),
  );
  expect(shares.length).toBe(4);
  const strongest = Math.max(...shares) / 100;
  for (const scheme of schemes()) {
    for (const hue of ["chosen", "rejected"]) {
      const ground = channels(scheme["panel"] ?? "");
      const tinted = channels(scheme[hue] ?? "").map(
        (value, index) => value * strongest + (ground[index] ?? 0) * (1 - strongest),
      );
      const pair = [luminance(channels(scheme["ink"] ?? "")), luminance(tinted)].sort((a, b) => a - b);
      const contrast = ((pair[1] ?? 0) + 0.05) / ((pair[0] ?? 0) + 0.05);
      expect(contrast).toBeGreaterThanOrEqual(4.5);
    }
  }
});
