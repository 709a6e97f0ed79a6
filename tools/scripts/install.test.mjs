import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isInstallCurrent, nodeComplaint } from "./install.mjs";

describe("nodeComplaint", () => {
  for (const version of ["v20.19.0", "v22.12.0", "v23.0.0", "v24.1.0"])
    it(`accepts ${version}`, () => {
      assert.equal(nodeComplaint(version), undefined);
    });
  for (const version of ["v18.20.0", "v20.18.3", "v21.7.0", "v22.11.0"])
    it(`refuses ${version} in a sentence that names it`, () => {
      assert.match(nodeComplaint(version), new RegExp(`this is Node ${version}: install`));
    });
});

describe("isInstallCurrent", () => {
  const entry = { version: "1.0.0", integrity: "sha512-a" };
  const lock = (packages) => ({ packages: { "": { name: "prefscope" }, ...packages } });

  it("holds when every locked package is there", () => {
    assert.equal(
      isInstallCurrent(lock({ "node_modules/a": entry }), { packages: { "node_modules/a": entry } }),
      true,
    );
  });

  it("forgives an optional package of another platform", () => {
    assert.equal(
      isInstallCurrent(lock({ "node_modules/a": { ...entry, optional: true } }), { packages: {} }),
      true,
    );
  });

  const stale = {
    "nothing is installed": undefined,
    "a package is missing": { packages: {} },
    "a version differs": { packages: { "node_modules/a": { ...entry, version: "1.0.1" } } },
    "a checksum differs": { packages: { "node_modules/a": { ...entry, integrity: "sha512-b" } } },
    "a package is left over": { packages: { "node_modules/a": entry, "node_modules/b": entry } },
  };
  for (const [name, installed] of Object.entries(stale))
    it(`does not hold when ${name}`, () => {
      assert.equal(isInstallCurrent(lock({ "node_modules/a": entry }), installed), false);
    });
});
