import { expect, it } from "vitest";
import { faultsAfterRestart, readFaults } from "./injections.ts";

it("injects nothing unless the address asks for it", () => {
  expect(readFaults("")).toEqual({ injections: [], isInsecure: false });
  expect(readFaults("?nan@90")).toEqual({ injections: [], isInsecure: false });
});

it("reads every fault and skips junk", () => {
  expect(
    readFaults("?cli=1&inject=nan@90,zero@95,oom@1,kill@100,hang@40,no-gpu,no-adapter,insecure"),
  ).toEqual({
    injections: [
      { kind: "nan", step: 90 },
      { kind: "zero", step: 95 },
      { kind: "oom", step: 1 },
      { kind: "kill", step: 100 },
      { kind: "hang", step: 40 },
      { kind: "no-gpu", step: 0 },
      { kind: "no-adapter", step: 0 },
    ],
    isInsecure: true,
  });
  expect(readFaults("?inject=insecure")).toEqual({
    injections: [{ kind: "no-gpu", step: 0 }],
    isInsecure: true,
  });
  expect(readFaults("?inject=nan,nan@x,nan@-1,boom@3,@,").injections).toEqual([]);
});

it("gives a restarted trainer only the faults of its device", () => {
  const { injections } = readFaults("?inject=kill@10,no-adapter");
  expect(faultsAfterRestart(injections)).toEqual([{ kind: "no-adapter", step: 0 }]);
});
