import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { activationAt, activeCount, createRowCollector, eachActive } from "./sparseRows.ts";

const width = 7;
const row = fc.option(
  fc.array(fc.oneof(fc.constant(0), fc.float({ min: Math.fround(0.1), max: 9, noNaN: true })), {
    minLength: width,
    maxLength: width,
  }),
);

describe("sparse rows", () => {
  it("hold what was added, row by row", () => {
    fc.assert(
      fc.property(fc.array(row), (given) => {
        const collector = createRowCollector(width);
        for (const each of given) collector.add(each);
        const rows = collector.finish();
        const dense = given.map((each) => each ?? Array.from({ length: width }, () => 0));
        dense.forEach((values, number) => {
          values.forEach((value, feature) => expect(activationAt(rows, number, feature)).toBe(value));
          expect(activeCount(rows, number)).toBe(values.filter((value) => value !== 0).length);
          const found = Array.from({ length: width }, () => 0);
          eachActive(rows, number, (feature, value) => (found[feature] = value));
          expect(found).toEqual(values);
        });
      }),
    );
  });

  it("grow beyond their first room", () => {
    const collector = createRowCollector(3000);
    for (const factor of [1, 2])
      collector.add(Float32Array.from({ length: 3000 }, (_, i) => factor * (i + 1)));
    const rows = collector.finish();
    expect([activationAt(rows, 0, 2999), activationAt(rows, 1, 0), activationAt(rows, 1, 2999)]).toEqual([
      3000, 2, 6000,
    ]);
    expect(rows.values).toHaveLength(6000);
  });
});
